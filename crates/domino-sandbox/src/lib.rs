//! domino-sandbox
