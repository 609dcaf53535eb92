//! What staff do, what it needs, and what it leaves in the audit log.

use super::super::dashboard::browser::between;
use super::super::dashboard::browser::{Browser, location};
use super::super::world::World;
use super::{at_work, lines};
use domain::change::{Change, Write};
use domain::people::Role;
use domain::ports::Store;
use domain::ticket::{Ticket, TicketKind};
use domain::usd::Usd;

/// A form's key.
const ONCE: &str = "00112233445566778899aabbccddeeff";

#[tokio::test]
async fn a_deed_needs_its_reason_and_its_token_and_is_kept() {
    let world = World::start().await;
    let mut owner = at_work(&world, "owner", Role::Owner).await;
    let path = format!("/console/accounts/{}/suspend", world.account);
    let bare = owner.post(&path, &[("suspended", "yes")]).await;
    assert_eq!(bare.status, 400, "{}", bare.text);
    let forged = owner
        .post_bare(&path, &[("suspended", "yes"), ("reason", "fraud")])
        .await;
    assert_eq!(forged.status, 403, "{}", forged.text);
    let account = async || world.store.account(world.account).await.unwrap().unwrap();
    assert!(!account().await.suspended);

    let done = owner
        .post(
            &path,
            &[("suspended", "yes"), ("reason", "cards of others")],
        )
        .await;
    assert_eq!(done.status, 303, "{}", done.text);
    assert!(account().await.suspended);
    let line = lines(&world, 1).await.remove(0);
    assert_eq!(line.note.action, "suspend_account");
    assert_eq!(line.note.reason, "cards of others");
    assert_eq!(line.note.account, Some(world.account));
    assert!(line.note.actor.starts_with("staff:"), "{}", line.note.actor);
    assert!(
        line.note.details.contains("suspended=yes"),
        "{}",
        line.note.details
    );
    let shown = owner.get("/console/audit").await;
    assert!(shown.text.contains("cards of others"), "{}", shown.text);
}

async fn money(
    browser: &mut Browser<'_>,
    world: &World,
    (direction, usd, once): (&str, &str, &str),
) -> String {
    let path = format!("/console/accounts/{}/money", world.account);
    browser
        .get(&format!("/console/accounts/{}", world.account))
        .await;
    let fields = [
        ("direction", direction),
        ("usd", usd),
        ("reason", "a correction"),
        ("once", once),
    ];
    let answer = browser.post(&path, &fields).await;
    match answer.status {
        303 => location(&answer)
            .split("notice=")
            .nth(1)
            .unwrap()
            .to_owned(),
        status => format!("{status}"),
    }
}

/// B-152.
#[tokio::test]
async fn money_moves_once_for_a_form_and_above_the_cap_with_a_second_person() {
    let world = World::start().await;
    let available = async || world.wallet().await.available;
    assert_eq!(available().await, Usd(50_000_000));
    let mut fin = at_work(&world, "finance", Role::Finance).await;
    // a double click
    assert_eq!(
        money(&mut fin, &world, ("in", "25", ONCE)).await,
        "money-moved"
    );
    assert_eq!(
        money(&mut fin, &world, ("in", "25", ONCE)).await,
        "money-moved"
    );
    assert_eq!(available().await, Usd(75_000_000));
    let other = ONCE.replace('0', "1");
    assert_eq!(
        money(&mut fin, &world, ("out", "5.50", &other)).await,
        "money-moved"
    );
    assert_eq!(available().await, Usd(69_500_000));
    let more = ONCE.replace('0', "2");
    assert_eq!(money(&mut fin, &world, ("out", "70", &more)).await, "409");
    for bad in [("in", "0"), ("in", "-3"), ("in", "1e3"), ("up", "1")] {
        assert_eq!(
            money(&mut fin, &world, (bad.0, bad.1, &more)).await,
            "400",
            "{bad:?}"
        );
    }
    assert_eq!(available().await, Usd(69_500_000));

    assert_eq!(
        money(&mut fin, &world, ("in", "100.000001", &more)).await,
        "money-asked"
    );
    assert_eq!(available().await, Usd(69_500_000), "it waits");
    let open = world
        .door
        .desk
        .rows()
        .money_requests(None, true, 10)
        .await
        .unwrap();
    let decide = format!("/console/money/{}/decide", open[0].id);
    let granted = [("decision", "grant"), ("reason", "papers seen")];
    let own = fin.post(&decide, &granted).await;
    assert_eq!(own.status, 403, "{}", own.text);
    let mut owner = at_work(&world, "owner", Role::Owner).await;
    let page = owner.get("/console/money").await;
    assert!(page.text.contains("Grant"), "{}", page.text);
    let unexplained = owner.post(&decide, &[("decision", "grant")]).await;
    assert_eq!(unexplained.status, 400, "it takes a reason");
    assert_eq!(available().await, Usd(69_500_000));
    assert_eq!(owner.post(&decide, &granted).await.status, 303);
    assert_eq!(available().await, Usd(169_500_001));
    assert_eq!(owner.post(&decide, &granted).await.status, 409, "once");
    assert_eq!(available().await, Usd(169_500_001));
    let kept = lines(&world, 1).await.remove(0);
    assert_eq!(
        (&*kept.note.action, &*kept.note.reason),
        ("decide_money", "papers seen")
    );
    world.books().await;
}

#[tokio::test]
async fn a_form_again_says_what_became_of_its_request() {
    let world = World::start().await;
    let mut fin = at_work(&world, "finance", Role::Finance).await;
    let mut owner = at_work(&world, "owner", Role::Owner).await;
    owner.get("/console/money").await;
    assert_eq!(
        money(&mut fin, &world, ("in", "200", ONCE)).await,
        "money-asked"
    );
    let rows = world.door.desk.rows();
    let open = rows.money_requests(None, true, 10).await.unwrap();
    let decide = format!("/console/money/{}/decide", open[0].id);
    let refused = [("decision", "refuse"), ("reason", "no papers")];
    assert_eq!(owner.post(&decide, &refused).await.status, 303);
    // the same form once more: it says what became of it
    assert_eq!(
        money(&mut fin, &world, ("in", "200", ONCE)).await,
        "money-refused"
    );
    assert_eq!(world.wallet().await.available, Usd(50_000_000));
}

#[tokio::test]
async fn a_look_as_a_customer_is_kept_and_changes_nothing() {
    let world = World::start().await;
    let order = world.buy().await;
    let mut support = at_work(&world, "support", Role::Support).await;
    let path = format!("/console/accounts/{}/look", world.account);
    let begun = support
        .post(&path, &[("reason", "asked on the phone")])
        .await;
    // a form leads nowhere but to its own host: the way is a link, whatever host it is on
    assert_eq!(begun.status, 200, "{}", begun.text);
    let link = between(&begun.text, "<a class=\"button\" href=\"", "\"").replace("&#x2f;", "/");
    let link = link.strip_prefix("http://127.0.0.1:8080").unwrap();
    assert_eq!(lines(&world, 1).await[0].note.action, "look_as_customer");
    let mut look = Browser::new(&world);
    assert_eq!(look.get(link).await.status, 303);
    let page = look.get("/wallet").await;
    assert_eq!(page.status, 200);
    assert!(
        page.text.contains("support@example.com looks at"),
        "{}",
        page.text
    );
    // what shows codes or counts as shown stays closed, and nothing is sent
    for closed in [
        "/numbers",
        "/numbers/live",
        &format!("/orders/{order}"),
        "/search?q=1",
    ] {
        assert_eq!(look.get(closed).await.status, 403, "{closed}");
    }
    for form in [
        "/keys",
        "/keys/access",
        "/wallet/redeem",
        "/numbers/buy",
        "/sign-out",
    ] {
        assert_eq!(
            look.post(form, &[("name", "x")]).await.status,
            403,
            "{form}"
        );
    }
    assert_eq!(world.store.keys(world.account).await.unwrap().len(), 1);
    let people = &world.door.people;
    let who = people.member_by_email("support@example.com").await.unwrap();
    people.suspend_staff(who, true).await.unwrap();
    assert_eq!(
        look.get("/wallet").await.status,
        303,
        "it ends with the access"
    );
    assert_eq!(
        Browser::new(&world)
            .get("/look?ticket=1.2.3.x")
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn messages_are_read_for_a_reason_only() {
    let world = World::start().await;
    let order = world.buy().await;
    world.receive(&order, "482913").await;
    let mut support = at_work(&world, "support", Role::Support).await;
    let page = format!("/console/orders/{order}");
    let shown = support.get(&page).await;
    assert!(!shown.text.contains("482913"), "{}", shown.text);
    let read = format!("{page}/messages");
    let bare = support.post(&read, &[]).await;
    assert!(!bare.text.contains("482913"), "{}", bare.text);
    let read = support
        .post(&read, &[("reason", "the customer cannot see it")])
        .await;
    assert!(read.text.contains("482913"), "{}", read.text);
    let line = lines(&world, 1).await.remove(0);
    assert_eq!(line.note.action, "read_messages");
    assert!(!line.note.details.contains("482913"));
}

#[tokio::test]
async fn a_form_with_an_odd_word_does_nothing() {
    let world = World::start().await;
    let mut owner = at_work(&world, "owner", Role::Owner).await;
    let of = |what: &str| format!("/console/accounts/{}/{what}", world.account);
    for (what, field, odd) in [
        ("suspend", "suspended", "true"),
        ("suspend", "suspended", ""),
        ("api-access", "on", "off"),
    ] {
        let fields = [(field, odd), ("reason", "a good one")];
        let answer = owner.post(&of(what), &fields).await;
        assert_eq!(answer.status, 400, "{what} {odd}");
    }
    let account = world.store.account(world.account).await.unwrap().unwrap();
    assert!(!account.suspended && account.api_access);
}

/// A ticket of this kind about a row with this number.
async fn ticket(world: &World, kind: TicketKind, reference: i64) {
    let one = Ticket {
        id: world.store.next_row_id(),
        kind,
        upstream: "peter1".to_owned(),
        reference,
        amount: Usd(5),
        detail: format!("about {}", kind.slug()),
        opened_at: world.door.engine.now(),
        closed_at: None,
        note: None,
    };
    let change = Change {
        name: "test",
        at: world.door.engine.now(),
        writes: vec![Write::OpenTicket(Box::new(one))],
    };
    world.store.commit(change).await.unwrap();
}

#[tokio::test]
async fn an_order_shows_the_tickets_about_orders_and_no_others() {
    let world = World::start().await;
    let order = world.buy().await;
    let id: i64 = order.parse().unwrap();
    for kind in TicketKind::ALL {
        ticket(&world, kind, id).await;
    }
    ticket(&world, TicketKind::PlacedWithoutId, id + 1).await;
    let mut support = at_work(&world, "support", Role::Support).await;
    let page = support.get(&format!("/console/orders/{order}")).await.text;
    for kind in TicketKind::ALL {
        let told = format!("about {}<", kind.slug());
        assert_eq!(page.matches(&told).count(), usize::from(kind.is_of_order()));
    }
    let all = support.get("/console/tickets").await.text;
    let there = format!("/console/orders/{id}\"");
    let of_orders = TicketKind::ALL.iter().filter(|kind| kind.is_of_order());
    assert_eq!(all.matches(&there).count(), of_orders.count(), "{all}");
}

#[tokio::test]
async fn what_is_announced_shows_until_it_is_ended() {
    let world = World::start().await;
    let mut support = at_work(&world, "support", Role::Support).await;
    support.get("/console/announcements").await;
    let text = [("text", "Romeo is <b>slow</b> today"), ("hours", "")];
    assert_eq!(
        support.post("/console/announcements", &text).await.status,
        303
    );
    let mut ana = super::super::dashboard::customer(&world).await;
    let page = ana.get("/wallet").await;
    assert!(
        page.text.contains("Romeo is &lt;b&gt;slow"),
        "{}",
        page.text
    );
    let rows = world
        .door
        .desk
        .rows()
        .announcements(None, 10)
        .await
        .unwrap();
    let end = format!("/console/announcements/{}/end", rows[0].id);
    assert_eq!(support.post(&end, &[]).await.status, 303);
    assert!(!ana.get("/wallet").await.text.contains("Romeo is"));
}

#[tokio::test]
async fn figures_and_books_follow_the_orders() {
    let world = World::start().await;
    let order = world.buy().await;
    world.receive(&order, "1234").await;
    let mut owner = at_work(&world, "owner", Role::Owner).await;
    let report = owner.get("/console/reports.csv?by=server").await;
    let line = report.text.lines().nth(1).unwrap().to_owned();
    let price = world.wallet().await;
    let spent = Usd(50_000_000 - price.available.0);
    assert!(line.starts_with("\"peter\",1,1,"), "{line}");
    assert!(line.contains(&spent.to_string()), "{line} {spent}");
    for by in ["day", "service", "account", "upstream"] {
        let page = owner.get(&format!("/console/reports?by={by}")).await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(page.text.contains("Unexplained: $0.00"));
    }
    let ledger = owner
        .get(&format!("/console/ledger.csv?reference={order}"))
        .await;
    for word in ["hold", "resolution", "sales"] {
        assert!(ledger.text.contains(word), "{word}: {}", ledger.text);
    }
    let totals = owner.get("/console/ledger?totals=yes").await;
    assert!(
        totals.text.contains("<strong>$0.00</strong>"),
        "{}",
        totals.text
    );
    let found = owner.get(&format!("/console/orders?q={order}")).await;
    assert!(found.text.contains("Discord"), "{}", found.text);
    let accounts = owner.get("/console/accounts?q=ana%40").await;
    assert!(
        accounts.text.contains("ana@example.com"),
        "{}",
        accounts.text
    );
    let verified = owner.post("/console/audit/verify", &[]).await;
    assert_eq!(verified.status, 303, "{}", verified.text);
    assert!(
        owner
            .get("/console/audit")
            .await
            .text
            .contains("are as they were written")
    );
}

#[tokio::test]
async fn another_form_under_a_key_is_not_taken_for_done() {
    let world = World::start().await;
    let mut fin = at_work(&world, "finance", Role::Finance).await;
    let mut other = at_work(&world, "other", Role::Finance).await;
    let form = ("in", "25", ONCE);
    assert_eq!(money(&mut fin, &world, form).await, "money-moved");
    assert_eq!(money(&mut fin, &world, ("in", "26", ONCE)).await, "409");
    assert_eq!(money(&mut fin, &world, ("out", "25", ONCE)).await, "409");
    assert_eq!(money(&mut other, &world, form).await, "409");
    assert_eq!(money(&mut fin, &world, form).await, "money-moved");
    assert_eq!(world.wallet().await.available, Usd(75_000_000));
    world.books().await;
}

#[tokio::test]
async fn nobody_moves_money_of_an_account_of_their_own() {
    let world = World::start().await;
    let mut fin = at_work(&world, "finance", Role::Finance).await;
    let own = world.store.account(world.account).await.unwrap().unwrap();
    let (name, _) = own.email.split_once('@').unwrap();
    let mut herself = at_work(&world, name, Role::Owner).await;
    let before = world.wallet().await.available;
    for direction in ["in", "out"] {
        let moved = money(&mut herself, &world, (direction, "5", ONCE)).await;
        assert_eq!(moved, "403", "{direction}");
    }
    let large = ("in", "200", ONCE);
    assert_eq!(money(&mut fin, &world, large).await, "money-asked");
    let rows = world.door.desk.rows();
    let open = rows.money_requests(None, true, 10).await.unwrap();
    let decide = format!("/console/money/{}/decide", open[0].id);
    herself.get("/console/money").await;
    for decision in ["grant", "refuse"] {
        let fields = [("decision", decision), ("reason", "papers seen")];
        let decided = herself.post(&decide, &fields).await;
        assert_eq!(decided.status, 403, "{}", decided.text);
        assert!(decided.text.contains("of your own"), "{}", decided.text);
    }
    assert_eq!(world.wallet().await.available, before);
    let mut owner = at_work(&world, "owner", Role::Owner).await;
    owner.get("/console/money").await;
    let granted = [("decision", "grant"), ("reason", "papers seen")];
    let granted = owner.post(&decide, &granted).await;
    assert_eq!(granted.status, 303, "{}", granted.text);
    world.books().await;
}
