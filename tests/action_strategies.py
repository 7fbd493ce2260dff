"""Actions for property tests: any texts, any JSON, whether the workspace would do them or not."""

from hypothesis import strategies as st

from agent_gym.actions import ActionFactory
from agent_gym.actions.json_text import LEAST, MOST
from strategies import texts

leaves = (
    st.none()
    | st.booleans()
    | st.integers(LEAST, MOST)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=40)
)
bodies = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)
paths = st.one_of(
    st.sampled_from(["a.txt", "notes/plan.md", "../out", "/etc/passwd", "a", "a/../b", "C:\\x", "con", "a//b", ".", "~/x"]),
    st.lists(st.sampled_from(["a", "b", "..", ".", "", "~", "link", "folder"]), max_size=4).map("/".join),
    st.text(max_size=30),
)
words = st.text(max_size=60)
actions = st.one_of(
    st.builds(ActionFactory.create_file, paths, words),
    st.builds(ActionFactory.read_file, paths),
    st.builds(ActionFactory.edit_file, paths, words, words),
    st.builds(
        ActionFactory.api_call,
        st.sampled_from(["GET", "post", "CONNECT"]) | texts,
        words | st.sampled_from(["http://localhost/", "file:///etc/passwd", "http://[::1]/", "//x"]),
        st.none() | st.dictionaries(texts, texts, max_size=2),
        bodies,
    ),
    st.builds(ActionFactory.complete_task, words),
    st.builds(ActionFactory.ask_user, words),
)
