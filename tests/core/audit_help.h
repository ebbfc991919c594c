// SPDX-License-Identifier: MIT
/* audit_help.h: rings with something in them, and somebody who has the record keys but not the
 * chain's. */
#ifndef LK_TEST_AUDIT_HELP_H
#define LK_TEST_AUDIT_HELP_H

#include "bench.h"

#include "lk_audit.h"

/* A tenant of its own with rings of `capacity`, and `count` entries in them. */
uint32_t audit_fill(struct bench *bench, unsigned capacity, unsigned count);
void audit_add(struct bench *bench, uint32_t tenant, enum lk_ring_number ring, const char *action,
               enum lk_outcome outcome);

/* Faults of a tenant's audit as the bench's open transaction sees it; any error counts as one. */
unsigned audit_faults(struct bench *bench, uint32_t tenant, uint64_t from,
                      const struct lk_audit_heads *head);

/* The stored CBOR of a slot; 0 where it is empty. */
size_t audit_read(struct bench *bench, uint32_t tenant, uint32_t ring, uint32_t slot,
                  uint8_t out[LK_VALUE_MAX]);
/* Puts it there with a checksum that holds. */
void audit_forge(struct bench *bench, uint32_t tenant, uint32_t ring, uint32_t slot,
                 const uint8_t *cbor, size_t size);
void audit_delete(struct bench *bench, uint32_t tenant, uint32_t ring, uint32_t slot);
struct lk_audit_ring audit_layout(struct bench *bench, uint32_t tenant, uint32_t ring);

/* Failures that the audit tells of: entries, and repeats, closed or open; entries in `written`. */
uint64_t audit_failures(struct bench *bench, uint32_t tenant, uint64_t *written);
/* The newest entry of an action, or of any where it is NULL, as a transaction opened for it sees
 * it. Its texts are in the query's memory. */
struct lk_audit_entry audit_newest(struct bench *bench, struct lk_audit_query *query,
                                   uint32_t tenant, const char *action);
/* Entries that a query finds; of an action. */
unsigned audit_matches(struct bench *bench, struct lk_audit_query query);
unsigned audit_count(struct bench *bench, uint32_t tenant, const char *action);

#endif
