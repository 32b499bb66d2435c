//! The rules that make a room a room. placeholder
