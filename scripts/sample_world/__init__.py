"""The little world our sample data set is talked out of: services and phrases (JSON), and the code that plays dialogues."""
