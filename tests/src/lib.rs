//! Integration, interoperability and conformance tests.
