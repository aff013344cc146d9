//! How answers read.

use std::fmt::Write as _;

use groupsim::kafka::message::{FetchedOffset, GroupResponse, JoinAnswer};
use groupsim::units::MemberId;

use crate::names;

pub fn shown(response: &GroupResponse) -> String {
    match response {
        GroupResponse::Join(answer) => shown_join(answer),
        GroupResponse::Sync(answer) => match &answer.assignment {
            Some(partitions) => format!("{} {}", answer.error, names().partitions(partitions)),
            None => format!("{} no assignment", answer.error),
        },
        GroupResponse::Heartbeat(error) | GroupResponse::DeleteGroup(error) => error.to_string(),
        GroupResponse::Leave { error, members } => {
            let each: Vec<String> = members.iter().map(|(who, _, error)| format!("{} {error}", name(*who))).collect();
            format!("{error}: {}", each.join(", "))
        }
        GroupResponse::OffsetCommit(partitions) | GroupResponse::TxnOffsetCommit(partitions) => {
            let each: Vec<String> = partitions.iter().map(|(at, error)| format!("{} {error}", names().partition(*at))).collect();
            each.join(", ")
        }
        GroupResponse::OffsetFetch(answer) => {
            let offset = |fetched: FetchedOffset| match fetched {
                FetchedOffset::Committed(offset) => offset.to_string(),
                FetchedOffset::Nothing => "nothing".to_owned(),
                FetchedOffset::Unstable => "unstable".to_owned(),
            };
            let each: Vec<String> =
                answer.offsets.iter().map(|(at, fetched)| format!("{} {}", names().partition(*at), offset(*fetched))).collect();
            format!("{}: {}", answer.error, each.join(", "))
        }
        GroupResponse::ConsumerHeartbeat(answer) => {
            let given = answer.assignment.as_ref().map(|partitions| format!(" {}", names().partitions(partitions)));
            format!("{} epoch {}{}", answer.error, answer.epoch, given.unwrap_or_default())
        }
        GroupResponse::OffsetDelete { error, .. } => error.to_string(),
    }
}

fn shown_join(answer: &JoinAnswer) -> String {
    let mut shown = format!("{} for {}, generation {}", answer.error, name(answer.member), answer.generation);
    if let Some(leader) = answer.leader {
        write!(shown, ", leader {}", name(Some(leader))).expect("a String takes everything");
    }
    if !answer.members.is_empty() {
        let list: Vec<String> = answer.members.iter().map(|one| name(Some(one.member))).collect();
        write!(shown, ", members {}", list.join(" ")).expect("a String takes everything");
    }
    if answer.skip_assignment {
        shown += ", skips the assignment";
    }
    shown
}

fn name(member: Option<MemberId>) -> String {
    member.map_or("nobody".to_owned(), |member| names().member(member).to_string())
}
