"""Python imports a `sitecustomize` it finds on its path when it starts: so programs that tests start are guarded too."""

import network_guard as network_guard
