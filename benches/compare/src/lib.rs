//! Comparisons with other codecs and brokers.
