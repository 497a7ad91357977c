//! Owns the tests of the driver.
