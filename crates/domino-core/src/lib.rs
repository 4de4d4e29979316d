//! domino-core
