//! What people see of a run, on hand-made runs.

mod fixture;
mod folder;
mod summary;
mod verdict;
