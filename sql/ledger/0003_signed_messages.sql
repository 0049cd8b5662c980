-- Messages are signed, so a second delivery of a batch has the same content and needs no digest to be compared by.
ALTER TABLE batchstream.batches DROP COLUMN digest;
