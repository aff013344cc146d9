//! Errors of group requests that end a consumer.

use crate::terms::{ErrorCode, FatalError};

/// Errors of ConsumerGroupHeartbeat that end the membership for good; poll() throws them.
pub(super) fn heartbeat_exception(error: ErrorCode) -> FatalError {
    match error {
        ErrorCode::UnreleasedInstanceId => FatalError::UnreleasedInstanceId,
        ErrorCode::FencedInstanceId => FatalError::FencedInstanceId,
        ErrorCode::GroupMaxSizeReached => FatalError::GroupMaxSizeReached,
        ErrorCode::UnsupportedAssignor => FatalError::UnsupportedAssignor,
        ErrorCode::GroupIdNotFound => FatalError::GroupIdNotFound,
        ErrorCode::UnsupportedVersion => FatalError::UnsupportedVersion,
        ErrorCode::UnknownServerError => FatalError::UnknownServerError,
        other => unreachable!("a heartbeat of the simulator is not answered with {other}"),
    }
}

/// Errors of JoinGroup that poll() throws.
pub(super) fn join_exception(error: ErrorCode) -> Option<FatalError> {
    match error {
        ErrorCode::FencedInstanceId => Some(FatalError::FencedInstanceId),
        ErrorCode::InconsistentGroupProtocol => Some(FatalError::InconsistentGroupProtocol),
        ErrorCode::InvalidSessionTimeout => Some(FatalError::InvalidSessionTimeout),
        ErrorCode::GroupMaxSizeReached => Some(FatalError::GroupMaxSizeReached),
        ErrorCode::None
        | ErrorCode::OffsetMetadataTooLarge
        | ErrorCode::CoordinatorLoadInProgress
        | ErrorCode::CoordinatorNotAvailable
        | ErrorCode::NotCoordinator
        | ErrorCode::IllegalGeneration
        | ErrorCode::InvalidGroupId
        | ErrorCode::UnknownMemberId
        | ErrorCode::RebalanceInProgress
        | ErrorCode::NonEmptyGroup
        | ErrorCode::GroupIdNotFound
        | ErrorCode::MemberIdRequired
        | ErrorCode::UnstableOffsetCommit
        | ErrorCode::GroupSubscribedToTopic
        | ErrorCode::UnknownTopicOrPartition
        | ErrorCode::UnknownServerError
        | ErrorCode::UnsupportedVersion
        | ErrorCode::InvalidRequest
        | ErrorCode::FencedMemberEpoch
        | ErrorCode::StaleMemberEpoch
        | ErrorCode::UnreleasedInstanceId
        | ErrorCode::UnsupportedAssignor => None,
    }
}
