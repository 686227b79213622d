//! The ports in memory, for tests of whatever stands on a store.
