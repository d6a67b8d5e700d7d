//! The audit chain: what is sealed stays as it was, or it is found.

use latchkey_access::AuditRecord;
use latchkey_store::{AuditBreak, AuditFilter};

use crate::on_both;
use crate::world::World;

/// Writes records and seals those that the commit has not sealed.
async fn sealed(world: &World, count: usize) -> Vec<AuditRecord> {
    let records: Vec<AuditRecord> = (0..count).map(|_| world.record("member.created")).collect();
    let mut set = world.set([]);
    set.audit.clone_from(&records);
    world.store.commit(set).await.unwrap();
    world.store.audit_seal(world.now(), 1_000).await.unwrap();
    let report = world.store.audit_verify(world.ws).await.unwrap();
    assert_eq!((report.sealed, report.unsealed), (count as u64, 0));
    records
}

/// Takes the chain apart, so that all of it waits to be sealed.
async fn unseal(world: &World) {
    world
        .by_hand(
            "update audit_head set seq = 0, hash = coalesce((select previous_hash from audit_record \
             where audit_record.workspace_id = audit_head.workspace_id and audit_record.seq = 1), hash); \
             update audit_record set seq = null, previous_hash = null, hash = null",
        )
        .await;
}

async fn breaks(world: &World) -> Vec<AuditBreak> {
    world.store.audit_verify(world.ws).await.unwrap().breaks
}

on_both! {
    async fn records_are_chained_in_the_order_of_their_making(world: World) {
        let records = sealed(world, 5).await;
        let mut set = world.set([]);
        set.audit.push(world.record("member.disabled"));
        world.store.commit(set).await.unwrap();
        let report = world.store.audit_verify(world.ws).await.unwrap();
        assert_eq!((report.sealed + report.unsealed, report.breaks), (6, vec![]));
        // On PostgreSQL the commit leaves it for the sealer.
        let left = world.store.audit_seal(world.now(), 1_000).await.unwrap().sealed;
        assert_eq!(left as u64, report.unsealed);
        assert_eq!(world.store.audit_seal(world.now(), 1_000).await.unwrap().sealed, 0);
        let page = world.store.audit_page(world.ws, AuditFilter { limit: 9, ..AuditFilter::default() }).await.unwrap();
        assert_eq!(page.iter().map(|e| e.seq.unwrap()).collect::<Vec<_>>(), [6, 5, 4, 3, 2, 1]);
        assert_eq!((page[5].id, &page[5].detail, &*page[5].actor), (records[0].id, &records[0].detail, "operator"));
        let of = |filter| async move { world.store.audit_page(world.ws, filter).await.unwrap().len() };
        assert_eq!(of(AuditFilter { action: Some("member.disabled".to_owned()), limit: 9, ..AuditFilter::default() }).await, 1);
        assert_eq!(of(AuditFilter { target_id: Some("m-1".to_owned()), limit: 4, ..AuditFilter::default() }).await, 4);
        assert_eq!(of(AuditFilter { after: Some(records[2].id), limit: 9, ..AuditFilter::default() }).await, 2);
    }

    async fn sealing_goes_on_in_batches(world: World) {
        let mut set = world.set([]);
        set.audit = (0..7).map(|_| world.record("x.done")).collect();
        world.store.commit(set).await.unwrap();
        unseal(world).await;
        let mut batches = Vec::new();
        for _ in 0..4 {
            batches.push(world.store.audit_seal(world.now(), 3).await.unwrap().sealed);
        }
        assert_eq!(batches, [3, 3, 1, 0]);
        assert_eq!(breaks(world).await, []);
    }

    async fn an_altered_record_is_found(world: World) {
        let records = sealed(world, 4).await;
        world.by_hand("update audit_record set action = 'member.enabled' where seq = 2").await;
        assert_eq!(breaks(world).await, [AuditBreak::Altered { seq: 2, id: records[1].id }]);
        world.by_hand("update audit_record set action = 'member.created' where seq = 2").await;
        assert_eq!(breaks(world).await, []);
    }

    async fn a_record_with_a_new_hash_of_its_own_is_found(world: World) {
        let records = sealed(world, 3).await;
        world.by_hand("update audit_record set hash = previous_hash where seq = 3").await;
        assert_eq!(breaks(world).await, [AuditBreak::Altered { seq: 3, id: records[2].id }]);
    }

    async fn removed_records_are_found_at_the_start_the_middle_and_the_end(world: World) {
        sealed(world, 9).await;
        world.by_hand("delete from audit_record where seq in (1, 4, 5, 8, 9)").await;
        let gone = |from, to| AuditBreak::Removed { from, to };
        assert_eq!(breaks(world).await, [gone(1, 1), gone(4, 5), gone(8, 9)]);
    }

    async fn a_chain_whose_end_is_no_longer_noted_is_found(world: World) {
        sealed(world, 3).await;
        world.by_hand("update audit_head set seq = 2").await;
        assert_eq!(breaks(world).await, [AuditBreak::EndLost { noted: 2, last: 3 }]);
        world.by_hand("delete from audit_head").await;
        assert_eq!(breaks(world).await, [AuditBreak::EndLost { noted: 0, last: 3 }]);
    }

    async fn swapped_records_are_found(world: World) {
        let records = sealed(world, 5).await;
        world.by_hand("update audit_record set seq = 99 where seq = 2; update audit_record set seq = 2 where seq = 3; \
            update audit_record set seq = 3 where seq = 99").await;
        let found = breaks(world).await;
        assert_eq!(found[0], AuditBreak::OutOfPlace { seq: 2, id: records[2].id });
        assert_eq!(found[1], AuditBreak::OutOfPlace { seq: 3, id: records[1].id });
    }

    async fn the_chain_of_one_workspace_is_not_another_ones(world: World) {
        sealed(world, 2).await;
        let other = world.workspace_row(world.id(latchkey_kernel::id::WorkspaceId::fresh), "Other");
        world.commit_in(other.id, latchkey_access::Change::WorkspaceInsert(other.clone())).await.unwrap();
        let mut set = latchkey_access::ChangeSet::new(other.id);
        set.audit.push(AuditRecord { workspace_id: other.id, ..world.record("x.done") });
        world.store.commit(set).await.unwrap();
        world.store.audit_seal(world.now(), 100).await.unwrap();
        let report = world.store.audit_verify(other.id).await.unwrap();
        assert_eq!((report.sealed, report.breaks), (1, vec![]));
    }

    async fn many_sealers_make_one_chain(world: World) {
        let another = world.another().await;
        for _ in 0..20 {
            let mut set = world.set([]);
            set.audit = (0..5).map(|_| world.record("x.done")).collect();
            world.store.commit(set).await.unwrap();
            unseal(world).await;
            let now = world.now();
            let (a, b) = tokio::join!(world.store.audit_seal(now, 3), another.audit_seal(now, 3));
            a.unwrap();
            b.unwrap();
        }
        while world.store.audit_seal(world.now(), 100).await.unwrap().sealed > 0 {}
        let report = world.store.audit_verify(world.ws).await.unwrap();
        assert_eq!((report.sealed, report.unsealed, report.breaks), (100, 0, vec![]));
    }
}
