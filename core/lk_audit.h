// SPDX-License-Identifier: MIT
/* lk_audit.h: what the files of the audit share. */
#ifndef LK_AUDIT_H
#define LK_AUDIT_H

#include "lk_engine.h"

#define LK_SLOT_DAMAGED 1
#define LK_LINK_SIZE    8 /* of a chain value, as the next entries repeat it */

/* Fields that are sealed in any entry, and those in one that an application wrote. */
#define LK_TRACE_SOURCE (LK_BIT(20) | LK_BIT(21) | LK_BIT(22))
#define LK_TRACE_ALL    (LK_TRACE_SOURCE | LK_BIT(16) | LK_BIT(23) | LK_BIT(24))

extern const struct lk_kind lk_kind_trace;

static inline const struct lk_field *lk_audit_field(unsigned number)
{
    return lk_field_numbered(&lk_kind_audit, number);
}

/* What a ring is about, of the tenant's record (or the store's own). */
struct lk_audit_place {
    uint32_t tenant, capacity;
    bool archive;
    uint64_t archived;
    uint8_t key[16];
    uint8_t gone[LK_RING_COUNT][LK_LINK_SIZE];
};

int lk_audit_place(struct lk_txn *txn, uint32_t tenant, struct lk_audit_place *place);

/* ---- lk_audit_ring.c: slots ---- */

/* What is read of an entry without decoding it. seq 0: the slot is empty. */
struct lk_audit_slot {
    uint64_t seq, at;
    uint8_t links[LK_RING_COUNT][LK_LINK_SIZE]; /* of the own ring, and of the other */
    uint8_t chain[LK_CHAIN_SIZE];
};

/* Slots in use: `count` from `first` on, and round the end; the last of them is `head`. `newest` is
 * the last that is sound. */
struct lk_audit_ring {
    uint32_t capacity, first, count, head;
    struct lk_audit_slot newest;
};

/* An entry by ring and slot, sealed; what is read quickly of it (LK_SLOT_DAMAGED for a bad
 * checksum); its seq alone; slots of a ring; the newest slot (seq 0: none). */
int lk_audit_slot(struct lk_txn *txn, uint32_t tenant, uint32_t ring, uint32_t slot,
                  struct lk_audit_entry *entry);
int lk_audit_peek(struct lk_txn *txn, uint32_t tenant, uint32_t ring, uint32_t slot,
                  struct lk_audit_slot *found);
int lk_audit_seq(struct lk_txn *txn, uint32_t tenant, uint32_t ring, uint32_t slot, uint64_t *seq);
int lk_audit_capacity(struct lk_txn *txn, uint32_t tenant, uint32_t *capacity);
int lk_audit_bisect(struct lk_txn *txn, uint32_t tenant, uint32_t ring, uint32_t capacity,
                    uint32_t *slot, struct lk_audit_slot *newest);
int lk_audit_ring(struct lk_txn *txn, uint32_t tenant, uint32_t number, uint32_t capacity,
                  struct lk_audit_ring *ring);
/* The newest slot, by the handle's hint where that still holds, and what lies after it. */
int lk_audit_head(struct lk_txn *txn, const struct lk_audit_place *place, uint32_t ring,
                  uint32_t *slot, struct lk_audit_slot *newest, struct lk_audit_slot *after,
                  bool *after_damaged);
void lk_audit_remember(struct lk_txn *txn, uint32_t tenant, uint32_t ring, uint32_t slot,
                       uint64_t seq);
void lk_audit_forget(struct lk_txn *txn);
/* The tenant's record remembers what the ring's oldest entry follows, which is gone. */
int lk_audit_note_gone(struct lk_txn *txn, struct lk_audit_place *place, uint32_t ring);
int lk_audit_take(struct lk_txn *txn, uint32_t tenant, uint32_t ring, uint32_t slot);

/* ---- lk_audit_chain.c ---- */

/* Seals, chains and stores an entry that is otherwise complete; `personal` has a bit for each field
 * that is to be sealed. */
int lk_audit_put(struct lk_txn *txn, struct lk_audit_place *place, uint32_t ring,
                 struct lk_audit_entry *entry, uint64_t personal);
/* What the chain value of a stored entry should be. */
int lk_audit_chain(const struct lk_store *store, uint32_t tenant, uint32_t ring,
                   struct lk_span cbor, uint8_t chain[LK_CHAIN_SIZE]);

/* ---- lk_audit_seal.c: personal data ---- */

int lk_audit_tag(const struct lk_store *store, uint32_t tenant, struct lk_span address,
                 uint8_t tag[8]);
/* Takes the fields of `personal` out of the entry and puts them in sealed, in the writer's scratch;
 * leaves them out where whose they are is gone. */
int lk_audit_seal(struct lk_txn *txn, const struct lk_audit_place *place, uint32_t ring,
                  struct lk_audit_entry *entry, uint64_t personal);
/* Fills in what was sealed, with spans into `out`; marks the entry where the key is gone. */
int lk_audit_unseal(struct lk_txn *txn, struct lk_audit_entry *entry,
                    uint8_t out[LK_AUDIT_OPENED_MAX]);

/* ---- lk_audit_fold.c: failures that come again ---- */

/* `folded`: it was counted. Else `slot` is where it is to be opened once it is in the ring. */
int lk_audit_fold(struct lk_txn *txn, struct lk_audit_place *place, uint32_t ring,
                  struct lk_audit_entry *entry, uint32_t *slot, bool *folded);
int lk_audit_fold_open(struct lk_txn *txn, uint32_t ring, uint32_t slot,
                       const struct lk_audit_entry *entry, uint64_t personal);
/* An open one, from slot `*slot` on, as an entry. LK_E_NOT_FOUND. */
int lk_audit_fold_next(struct lk_txn *txn, uint32_t tenant, uint32_t *slot,
                       struct lk_audit_entry *entry);

/* ---- lk_audit_keep.c: retention and archive ---- */

/* True when the entry just written makes the ring four fifths full of what was not archived. */
int lk_audit_crossed(struct lk_txn *txn, const struct lk_audit_place *place, uint32_t ring,
                     uint32_t slot, bool *crossed);
/* True when it is that full, or fuller. */
int lk_audit_over(struct lk_txn *txn, const struct lk_audit_place *place, uint32_t ring,
                  bool *over);

#endif
