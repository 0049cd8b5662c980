-- The first load of a dataset: its target has no row to compare with.
INSERT INTO {target} ({columns}, load_id) SELECT {values}, {load_id} FROM {landing} AS s
