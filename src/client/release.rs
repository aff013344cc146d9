//! What differs between releases in the clients' rules: one named switch each.

use crate::release::Release;

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct ClientSwitches {
    /// KAFKA-17182 (4.0): a broker that leads a partition with buffered records gets no Fetch, which keeps fetch sessions stable.
    pub spare_buffered_brokers: bool,
}

impl ClientSwitches {
    pub const fn of(release: Release) -> ClientSwitches {
        match release {
            Release::V2_8 | Release::V3_9 => ClientSwitches { spare_buffered_brokers: false },
            Release::V4_0_0
            | Release::V4_0_1
            | Release::V4_0_2
            | Release::V4_1_0
            | Release::V4_1_2
            | Release::V4_2_0
            | Release::V4_2_1
            | Release::V4_3_0
            | Release::V4_3_1
            | Release::V4_4_0 => ClientSwitches { spare_buffered_brokers: true },
        }
    }
}
