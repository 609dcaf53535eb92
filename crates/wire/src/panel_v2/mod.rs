//! The SMM panel protocol ("API v2").
