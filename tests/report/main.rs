//! What people see of a run, on hand-made runs.

mod chart;
mod checked;
mod fixture;
mod folder;
mod gallery;
mod idle;
#[cfg(feature = "png")]
mod picture;
mod summary;
mod told;
mod verdict;
