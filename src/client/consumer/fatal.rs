//! Errors of group requests that end a consumer.

use crate::terms::{ErrorCode, FatalError};

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
