//! `groupsim assign` and `groupsim partition` as they are called.

use std::io::Write;
use std::process::{Command, Stdio};

struct Outcome {
    code: i32,
    stdout: String,
    stderr: String,
}

fn run_with_input(arguments: &[&str], input: &[u8]) -> Outcome {
    let mut command = Command::new(env!("CARGO_BIN_EXE_groupsim"));
    command.args(arguments).env_remove("CLICOLOR_FORCE").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    // It may stop reading before the end.
    let _ = child.stdin.take().expect("a pipe").write_all(input);
    let output = child.wait_with_output().expect("the program ends");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Outcome { code: output.status.code().expect("an exit code"), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn run(arguments: &[&str]) -> Outcome {
    run_with_input(arguments, b"")
}

#[track_caller]
fn check_usage(arguments: &[&str], complaint: &str) {
    let wrong = run(arguments);
    assert_eq!((wrong.code, wrong.stdout.as_str()), (64, ""), "{arguments:?}");
    assert!(wrong.stderr.contains(complaint), "{arguments:?}: {}", wrong.stderr);
}

#[test]
fn all_assignors_stand_side_by_side() {
    let all = run(&["assign", "--topics", "orders=6,payments=4", "--members", "A,B,C"]);
    assert_eq!((all.code, all.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(all.stdout, @r"
                range   roundrobin  sticky  cooperative-  server-  server-
                                            sticky        range    uniform
    orders-0    A       A           A       A             A        A
    orders-1    A       B           B       B             A        A
    orders-2    B       C           C       C             B        A
    orders-3    B       A           A       A             B        B
    orders-4    C       B           B       B             C        B
    orders-5    C       C           C       C             C        B
    payments-0  A       A           A       A             A        C
    payments-1  A       B           B       B             A        C
    payments-2  B       C           C       C             B        C
    payments-3  C       A           A       A             C        C

    A has       4       4           4       4             4        3
    B has       3       3           3       3             3        3
    C has       3       3           3       3             3        4
    each has    3 to 4  3 to 4      3 to 4  3 to 4        3 to 4   3 to 4
    moved       0       0           0       0             0        0
    ");
}

#[test]
fn what_moves_is_marked() {
    let moved = run(&["assign", "--topics", "orders=4", "--members", "A,B,C", "--owned", "A=orders-0..1,B=orders-2,orders-3"]);
    assert_eq!((moved.code, moved.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(moved.stdout, @r"
              before  range   roundrobin  sticky  cooperative-  server-  server-
                                                  sticky        range    uniform
    orders-0  A       A       A           A       A             A        A
    orders-1  A       A       B*          A       A             A        A
    orders-2  B       B       C*          B       B             B        B
    orders-3  B       C*      A*          C*      -             C*       C*

    A has     2       2       2           2       2             2        2
    B has     2       1       1           1       1             1        1
    C has     0       1       1           1       0             1        1
    each has          1 to 2  1 to 2      1 to 2  0 to 2        1 to 2   1 to 2
    moved             1       3           1       1             1        1

    *  another member had it
    -  nobody gets it; cooperative-sticky hands it out when it has been given up
    ");
}

#[test]
fn one_assignor_tells_who_gets_what() {
    let one = run(&["assign", "--topics", "orders=6,payments=4", "--members", "A,B", "--subscribed", "B=payments", "--assignor", "sticky"]);
    assert_eq!((one.code, one.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(one.stdout, @r"
    sticky  equal shares; members keep what they had as far as that goes

    member  partitions
    A                6  orders 0-5
    B                4  payments 0-3

    4 to 6 partitions a member
    ");
}

#[test]
fn the_release_decides_who_gets_one_more() {
    let counts = |release: &str| {
        let one = run(&["assign", "--topics", "t=3", "--members", "A,B", "--assignor", "server-uniform", "--kafka", release]).stdout;
        let words: Vec<String> = one.lines().filter(|line| line.starts_with(['A', 'B'])).map(|line| line.to_owned()).collect();
        words.iter().filter_map(|line| line.split_whitespace().nth(1)?.parse().ok()).collect::<Vec<u32>>()
    };
    assert_eq!((counts("4.0.0"), counts("4.0.1"), counts("4.4")), (vec![2, 1], vec![1, 2], vec![1, 2]));
}

#[test]
fn large_groups_fit_a_page() {
    let members: Vec<String> = (0..300).map(|number| format!("a-member-with-a-long-name-{number}")).collect();
    let large = run(&["assign", "--topics", "orders=30000", "--members", &members.join(",")]);
    assert_eq!(large.code, 0);
    assert!(large.stdout.lines().all(|line| line.chars().count() <= 100), "{}", large.stdout);
    assert!(large.stdout.lines().count() < 220);
    assert!(large.stdout.contains("30000 partitions are not listed") && large.stdout.contains("... and 100 more members"));
}

#[test]
fn arguments_that_make_no_sense_end_with_64() {
    let plain = |extra: &[&'static str]| [&["assign", "--topics", "orders=6,payments=4", "--members", "A,B"], extra].concat();
    check_usage(&["assign"], "--topics");
    check_usage(&["assign", "--topics", "orders", "--members", "A"], "TOPIC=PARTITIONS");
    check_usage(&["assign", "--topics", "orders=0", "--members", "A"], "at least one partition");
    check_usage(&["assign", "--topics", "orders=99999999999", "--members", "A"], "`99999999999` is not a number of partitions");
    check_usage(&["assign", "--topics", "orders=4000000000", "--members", "A"], "the limit of all topics together is 100000");
    check_usage(&["assign", "--topics", "a=1,a=2", "--members", "A"], "the topic `a` is there twice");
    check_usage(&["assign", "--topics", "a=1", "--members", "A,A"], "the member `A` is there twice");
    check_usage(&["assign", "--topics", "a=1", "--members", ""], "a member has a name");
    check_usage(&plain(&["--assignor", "stiky"]), "sticky");
    check_usage(&plain(&["--kafka", "1.0"]), "4.3.1");
    check_usage(&plain(&["--owned", "orders-1"]), "whose?");
    check_usage(&plain(&["--owned", "C=orders-1"]), "there is no member `C`");
    check_usage(&plain(&["--owned", "A=order-1"]), "did you mean `orders`?");
    check_usage(&plain(&["--owned", "A=orders-6"]), "has the partitions 0 to 5");
    check_usage(&plain(&["--owned", "A=orders-1,orders-1"]), "owns `orders-1` twice");
    check_usage(&plain(&["--owned", "A=orders-3..1"]), "is not a partition");
    check_usage(&plain(&["--subscribed", "A=order"]), "there is no topic `order`");
    check_usage(&plain(&["--subscribed", "A=orders,orders"]), "subscribed to `orders` twice");
    check_usage(&plain(&["--batch", "-"]), "cannot be used with");
}

#[test]
fn a_batch_goes_on_after_a_bad_line_and_ends_with_65() {
    let input = b"{\"id\":\"x\",\"assignor\":\"range\",\"topics\":{\"t\":3},\"members\":[{\"id\":\"b\",\"topics\":[\"t\"]},{\"id\":\"a\",\"topics\":[\"t\"]},{\"id\":\"c\",\"topics\":[]}]}\n\
        \xff\n\
        {\"id\":\"y\",\"assignor\":\"roundrobin\",\"steps\":[{\"topics\":{},\"members\":[]},{\"topics\":{\"t\":1},\"members\":[{\"id\":\"a\",\"topics\":[\"t\"]}]}]}\n";
    let answered = run_with_input(&["assign", "--batch", "-"], input);
    insta::assert_snapshot!(answered.stdout, @r#"
    {"id":"x","result":{"b":[["t",2]],"a":[["t",0],["t",1]],"c":[]}}
    {"line":2,"error":"not UTF-8 in column 1"}
    {"id":"y","results":[{"error":"the assignor was called without members"},{"a":[["t",0]]}]}
    "#);
    assert_eq!((answered.code, answered.stderr.as_str()), (65, ""));
    let fine = run_with_input(&["assign", "--batch", "-"], input.split(|byte| *byte == b'\n').next().expect("a line"));
    assert_eq!((fine.code, fine.stdout.lines().count()), (0, 1));
}

#[test]
fn a_batch_comes_from_a_file_and_has_a_limit() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/cases-sticky.jsonl");
    let answered = run(&["assign", "--batch", file]);
    assert_eq!((answered.code, answered.stdout.lines().count()), (0, 169));
    let missing = run(&["assign", "--batch", "nowhere.jsonl"]);
    assert_eq!((missing.code, missing.stdout.as_str()), (65, ""));
    assert!(missing.stderr.contains("nowhere.jsonl"), "{}", missing.stderr);
    let endless = run_with_input(&["assign", "--batch", "-"], &vec![b' '; (4 << 20) + 100]);
    assert_eq!((endless.code, endless.stdout.as_str()), (65, ""));
    assert!(endless.stderr.contains("more than 4194304 bytes"), "{}", endless.stderr);
}

#[test]
fn a_batch_of_nothing_is_answered_by_nothing() {
    let nothing = run_with_input(&["assign", "--batch", "-"], b"\n\n");
    assert_eq!((nothing.code, nothing.stdout.as_str(), nothing.stderr.as_str()), (0, "", ""));
}

#[test]
fn keys_are_shown_with_their_partitions() {
    let keys = run(&["partition", "--partitions", "12", "key-0", "key-3", "", "21", "--to", "16"]);
    assert_eq!((keys.code, keys.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(keys.stdout, @r#"
    key        murmur2  of 12  of 16
    key-0     29210041      1      9  moves
    key-3  -1839136101     11     11
    ""       275646681      9      9
    21      -973932308      0     12  moves

    2 of 4 move: older records of these keys stay where they are, and the order of a
    key is lost across the two
    "#);
}

#[test]
fn a_topic_has_partitions() {
    for wrong in [&["partition", "--partitions", "0", "a"][..], &["partition", "--partitions", "12"], &["partition", "a"]] {
        assert_eq!(run(wrong).code, 64, "{wrong:?}");
    }
    assert_eq!(run(&["partition", "--partitions", "2147483647", "a", "--to", "1"]).code, 0);
}

#[test]
#[cfg(unix)]
fn a_key_may_be_any_bytes() {
    use std::os::unix::ffi::OsStrExt;
    let key = std::ffi::OsStr::from_bytes(b"\xff\x1b[31m");
    let output =
        Command::new(env!("CARGO_BIN_EXE_groupsim")).args(["partition", "--partitions", "3"]).arg(key).output().expect("it starts");
    assert_eq!(output.status.code(), Some(0));
    assert!(!output.stdout.contains(&0x1b) && std::str::from_utf8(&output.stdout).is_ok());
}

#[test]
fn brokers_assign_since_4_0() {
    let asked = |release: &str, more: &[&str]| run(&[&["assign", "--topics", "a=2", "--members", "A", "--kafka", release], more].concat());
    let (old, new) = (asked("3.9", &[]), asked("4.0", &[]));
    assert!(old.stdout.contains("the brokers of Kafka 3.9 do not assign"), "{}", old.stdout);
    assert_eq!((old.stdout.contains("server-  server-"), new.stdout.contains("server-  server-")), (false, true));
    let refused = asked("2.8", &["--assignor", "server-uniform"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (64, ""));
    assert!(refused.stderr.contains("4.0 and later") && refused.stderr.contains("cooperative-sticky"), "{}", refused.stderr);
    assert_eq!(asked("2.8", &["--assignor", "sticky"]).code, 0);
}
