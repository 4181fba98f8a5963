//! The language, its numbers, its messages and its pictures.
