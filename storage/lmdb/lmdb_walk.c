// SPDX-License-Identifier: MIT
/*
 * lmdb_walk.c: walks the two trees of one snapshot by reading the file, not the map.
 *
 * LMDB believes its pages: a damaged offset makes it read outside the map. Here every number is
 * checked before it is used, so that damage is an answer and not a signal.
 *
 * A page: number u64, pad u16, flags u16, then lower u16 and upper u16 (an overflow page: count
 * u32); from byte 16 the offsets of the nodes, u16 each, up to `lower`; nothing up to `upper`; then
 * the nodes. A node: u32 (leaf: size of the data; branch: low half of the child's number), flags
 * u16 (branch: next half), key size u16, key, data.
 */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE 1
#endif
#include "lmdb_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define WALK_HEADER    16u
#define WALK_NODE      8u
#define WALK_BRANCH    0x01u
#define WALK_LEAF      0x02u
#define WALK_OVERFLOW  0x04u
#define WALK_BIG       0x01u
#define WALK_NO_PAGE   UINT64_MAX
#define WALK_DEPTH     32u
#define WALK_FREE      0u
#define WALK_KEY_MAX   511u
#define WALK_PROGRESS  256u
#define WALK_BIG_CHUNK 4096u
#define WALK_VALUE_MAX (UINT32_C(1) << 30)

static_assert(sizeof(size_t) == sizeof(uint64_t), "LMDB's page numbers are 64-bit words here");

/* One tree under way. */
struct walk_tree {
    const struct lk_lmdb_tree *want;
    unsigned which;
    uint64_t branch_pages;
    uint64_t leaf_pages;
    uint64_t overflow_pages;
    uint64_t entries;
    uint64_t last_id; /* keys of the free tree are numbers */
    bool any;
    uint8_t last[LK_KEY_MAX];
    size_t last_size;
    uint8_t bound[WALK_KEY_MAX]; /* nothing smaller may follow */
    size_t bound_size;
};

static int walk_compare(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
    size_t size = a_size < b_size ? a_size : b_size;
    int rc = size > 0 ? memcmp(a, b, size) : 0;
    if (rc != 0) {
        return rc;
    }
    return a_size < b_size ? -1 : (a_size > b_size ? 1 : 0);
}

static bool walk_bit(const uint8_t *bits, uint64_t page)
{
    return (bits[page / 8] >> (page % 8) & 1) != 0;
}

/* Takes a page as used for one thing; it may be used for one thing only. */
static int walk_take(struct lk_lmdb_walk *walk, uint8_t *bits, uint64_t page)
{
    if (page < 2 || page > walk->meta.last_page || walk_bit(walk->live, page) ||
        walk_bit(walk->free, page)) {
        return LK_E_CORRUPT;
    }
    bits[page / 8] = (uint8_t)(bits[page / 8] | (1u << (page % 8)));
    return LK_OK;
}

bool lk_lmdb_walk_is_live(const struct lk_lmdb_walk *walk, uint64_t page)
{
    return page < 2 || walk_bit(walk->live, page);
}

static int walk_count(struct lk_lmdb_walk *walk, uint64_t pages)
{
    uint64_t before = walk->done;
    walk->done += pages;
    if (walk->progress != NULL && before / WALK_PROGRESS != walk->done / WALK_PROGRESS) {
        return walk->progress(walk->context, walk->done, walk->meta.last_page + 1);
    }
    return LK_OK;
}

/* Zeroes a part of a page in memory; tells how many bytes were not zero. */
static uint64_t walk_zero(uint8_t *at, size_t size)
{
    uint64_t count = 0;
    for (size_t i = 0; i < size; i++) {
        count += at[i] != 0 ? 1u : 0u;
    }
    if (count > 0) {
        memset(at, 0, size);
    }
    return count;
}

static size_t walk_nodes(const uint8_t *page)
{
    return (size_t)(lmdb_u16(page + 12) - WALK_HEADER) / 2;
}

static const uint8_t *walk_node(const uint8_t *page, size_t i)
{
    return page + lmdb_u16(page + WALK_HEADER + 2 * i);
}

static uint64_t walk_child(const uint8_t *node)
{
    return (uint64_t)lmdb_u32(node) | (uint64_t)lmdb_u16(node + 4) << 32;
}

/* Bytes of a node in its page, with what evens it out. */
static uint64_t walk_node_size(const uint8_t *node, bool leaf)
{
    uint64_t size = WALK_NODE + (uint64_t)lmdb_u16(node + 6);
    if (leaf) {
        size += (lmdb_u16(node + 4) & WALK_BIG) != 0 ? 8u : lmdb_u32(node);
    }
    return (size + 1) & ~UINT64_C(1);
}

/* Checks that the nodes tile the page from `upper` to its end, each byte in one node only. */
static int walk_check_nodes(const struct lk_lmdb_walk *walk, const uint8_t *page, bool leaf)
{
    uint32_t size = walk->meta.page_size;
    size_t count = walk_nodes(page);
    uint16_t upper = lmdb_u16(page + 14);
    uint64_t sum = 0;
    uint8_t taken[0x10000 / 16] = {0}; /* a bit for each even offset */
    for (size_t i = 0; i < count; i++) {
        uint16_t at = lmdb_u16(page + WALK_HEADER + 2 * i);
        if (at < upper || (at & 1) != 0 || (uint32_t)at + WALK_NODE > size) {
            return LK_E_CORRUPT;
        }
        if ((taken[at / 16] >> (at / 2 % 8) & 1) != 0) {
            return LK_E_CORRUPT;
        }
        taken[at / 16] = (uint8_t)(taken[at / 16] | (1u << (at / 2 % 8)));
        if (leaf && (lmdb_u16(page + at + 4) & ~WALK_BIG) != 0) {
            return LK_E_CORRUPT;
        }
        uint64_t bytes = walk_node_size(page + at, leaf);
        if (at + bytes > size) {
            return LK_E_CORRUPT;
        }
        sum += bytes;
    }
    if (sum != size - upper) {
        return LK_E_CORRUPT;
    }
    /* Their sum is the room, so they tile it when each ends where another, or the page, does. */
    for (size_t i = 0; i < count; i++) {
        uint16_t at = lmdb_u16(page + WALK_HEADER + 2 * i);
        uint64_t end = at + walk_node_size(page + at, leaf);
        if (end < size && (taken[end / 16] >> (end / 2 % 8) & 1) == 0) {
            return LK_E_CORRUPT;
        }
    }
    return LK_OK;
}

static int walk_load(struct lk_lmdb_walk *walk, uint64_t number, bool leaf, uint8_t *page)
{
    uint32_t size = walk->meta.page_size;
    int rc = walk_take(walk, walk->live, number);
    if (rc == LK_OK) {
        rc = lk_lmdb_read_fully(walk->fd, page, size, number * size);
    }
    if (rc != LK_OK) {
        return rc;
    }
    uint16_t lower = lmdb_u16(page + 12);
    uint16_t upper = lmdb_u16(page + 14);
    if (lmdb_u64(page) != number || lmdb_u16(page + 10) != (leaf ? WALK_LEAF : WALK_BRANCH) ||
        lower < WALK_HEADER || (lower & 1) != 0 || lower > upper || upper > size) {
        return LK_E_CORRUPT;
    }
    rc = walk_check_nodes(walk, page, leaf);
    if (rc != LK_OK) {
        return rc;
    }
    if (walk_nodes(page) == 0) {
        return LK_E_CORRUPT;
    }
    return walk_count(walk, 1);
}

static int walk_wipe_page(struct lk_lmdb_walk *walk, uint64_t number, uint8_t *page, bool leaf)
{
    uint16_t lower = lmdb_u16(page + 12);
    uint16_t upper = lmdb_u16(page + 14);
    uint64_t count = walk_zero(page + lower, (size_t)(upper - lower));
    for (size_t i = 0; i < walk_nodes(page); i++) {
        uint16_t at = lmdb_u16(page + WALK_HEADER + 2 * i);
        uint64_t used = WALK_NODE + (uint64_t)lmdb_u16(page + at + 6);
        if (leaf) {
            used += (lmdb_u16(page + at + 4) & WALK_BIG) != 0 ? 8u : lmdb_u32(page + at);
        }
        count += walk_zero(page + at + used, (size_t)(used & 1));
    }
    if (count == 0) {
        return LK_OK;
    }
    walk->wiped += count;
    /* The live bytes are written as they are: a torn write changes none of them. */
    return lk_lmdb_write_fully(walk->fd, page, walk->meta.page_size, number * walk->meta.page_size);
}

/* The chain of pages of one large value. `list` gets its bytes where it is a list of free pages. */
static int walk_overflow(struct lk_lmdb_walk *walk, struct walk_tree *tree, uint64_t number,
                         uint32_t value_size, uint8_t *list)
{
    uint32_t size = walk->meta.page_size;
    uint64_t need = (WALK_HEADER - 1 + (uint64_t)value_size) / size + 1;
    uint8_t chunk[WALK_BIG_CHUNK];
    int rc = walk_take(walk, walk->live, number);
    if (rc == LK_OK) {
        rc = lk_lmdb_read_fully(walk->fd, chunk, WALK_HEADER, number * size);
    }
    if (rc != LK_OK) {
        return rc;
    }
    /* More than is needed where a smaller value took a larger one's place. */
    uint64_t count = lmdb_u32(chunk + 12);
    if (lmdb_u64(chunk) != number || lmdb_u16(chunk + 10) != WALK_OVERFLOW || count < need) {
        return LK_E_CORRUPT;
    }
    for (uint64_t i = 1; i < count; i++) {
        rc = walk_take(walk, walk->live, number + i);
        if (rc != LK_OK) {
            return rc;
        }
    }
    tree->overflow_pages += count;
    uint64_t start = number * size + WALK_HEADER;
    if (list != NULL) {
        rc = lk_lmdb_read_fully(walk->fd, list, value_size, start);
    }
    uint64_t at = start + value_size;
    uint64_t end = (number + count) * size;
    while (rc == LK_OK && walk->wipe && at < end) {
        size_t part = end - at < sizeof chunk ? (size_t)(end - at) : sizeof chunk;
        rc = lk_lmdb_read_fully(walk->fd, chunk, part, at);
        uint64_t dirty = rc == LK_OK ? walk_zero(chunk, part) : 0;
        if (dirty > 0) {
            walk->wiped += dirty;
            rc = lk_lmdb_write_fully(walk->fd, chunk, part, at);
        }
        at += part;
    }
    return rc == LK_OK ? walk_count(walk, count) : rc;
}

/* A list of free pages: how many, then their numbers, highest first. */
static int walk_free_list(struct lk_lmdb_walk *walk, const uint8_t *list, uint32_t size)
{
    if (size < 8 || size % 8 != 0) {
        return LK_E_CORRUPT;
    }
    uint64_t count = lmdb_u64(list);
    if (count > size / 8 - 1) {
        return LK_E_CORRUPT;
    }
    uint64_t above = WALK_NO_PAGE;
    for (uint64_t i = 1; i <= count; i++) {
        uint64_t page = lmdb_u64(list + 8 * i);
        if (page >= above) {
            return LK_E_CORRUPT;
        }
        int rc = walk_take(walk, walk->free, page);
        if (rc != LK_OK) {
            return rc;
        }
        above = page;
    }
    return LK_OK;
}

static int walk_free_entry(struct lk_lmdb_walk *walk, struct walk_tree *tree, const uint8_t *node)
{
    uint32_t size = lmdb_u32(node);
    if (lmdb_u16(node + 6) != 8) {
        return LK_E_CORRUPT;
    }
    uint64_t id = lmdb_u64(node + WALK_NODE);
    if ((tree->any && id <= tree->last_id) || id > walk->meta.txn_id) {
        return LK_E_CORRUPT;
    }
    tree->last_id = id;
    if ((lmdb_u16(node + 4) & WALK_BIG) == 0) {
        return walk_free_list(walk, node + WALK_NODE + 8, size);
    }
    if (size / 8 > walk->meta.last_page + 2) {
        return LK_E_CORRUPT;
    }
    uint8_t *list = malloc(size);
    if (list == NULL) {
        return LK_E_IO;
    }
    int rc = walk_overflow(walk, tree, lmdb_u64(node + WALK_NODE + 8), size, list);
    if (rc == LK_OK) {
        rc = walk_free_list(walk, list, size);
    }
    free(list);
    return rc;
}

static int walk_entry(struct lk_lmdb_walk *walk, struct walk_tree *tree, const uint8_t *node)
{
    const uint8_t *key = node + WALK_NODE;
    size_t key_size = lmdb_u16(node + 6);
    if (key_size == 0 || key_size > LK_KEY_MAX || lmdb_u32(node) > WALK_VALUE_MAX) {
        return LK_E_CORRUPT;
    }
    if ((tree->any && walk_compare(key, key_size, tree->last, tree->last_size) <= 0) ||
        walk_compare(key, key_size, tree->bound, tree->bound_size) < 0) {
        return LK_E_CORRUPT;
    }
    memcpy(tree->last, key, key_size);
    tree->last_size = key_size;
    if ((lmdb_u16(node + 4) & WALK_BIG) != 0) {
        return walk_overflow(walk, tree, lmdb_u64(key + key_size), lmdb_u32(node), NULL);
    }
    return LK_OK;
}

static int walk_leaf(struct lk_lmdb_walk *walk, struct walk_tree *tree, const uint8_t *page)
{
    tree->leaf_pages++;
    for (size_t i = 0; i < walk_nodes(page); i++) {
        const uint8_t *node = walk_node(page, i);
        int rc = tree->which == WALK_FREE ? walk_free_entry(walk, tree, node)
                                          : walk_entry(walk, tree, node);
        if (rc != LK_OK) {
            return rc;
        }
        tree->any = true;
        tree->entries++;
    }
    return LK_OK;
}

/* A separator: everything before is smaller, nothing after is. */
static int walk_separator(struct lk_lmdb_walk *walk, struct walk_tree *tree, const uint8_t *node)
{
    const uint8_t *key = node + WALK_NODE;
    size_t key_size = lmdb_u16(node + 6);
    if (tree->which == WALK_FREE) {
        if (key_size != 8 || (tree->any && lmdb_u64(key) <= tree->last_id) ||
            lmdb_u64(key) > walk->meta.txn_id) {
            return LK_E_CORRUPT;
        }
        return LK_OK;
    }
    if (key_size == 0 || key_size > WALK_KEY_MAX ||
        walk_compare(key, key_size, tree->bound, tree->bound_size) < 0 ||
        (tree->any && walk_compare(key, key_size, tree->last, tree->last_size) <= 0)) {
        return LK_E_CORRUPT;
    }
    memcpy(tree->bound, key, key_size);
    tree->bound_size = key_size;
    return LK_OK;
}

/*
 * Makes a branch forget the key that its separator was made of, which may be gone: what is left is
 * the least of that size that is greater than all before. Each byte falls or stays, so that any of
 * them written without the others are a separator too. (Of the first node LMDB reads no key.)
 */
static int walk_blank(struct lk_lmdb_walk *walk, const struct walk_tree *tree, uint64_t number,
                      uint8_t *page, size_t at)
{
    uint8_t *node = page + (walk_node(page, at) - page);
    uint8_t *key = node + WALK_NODE;
    uint8_t blank[WALK_KEY_MAX] = {0};
    size_t size = lmdb_u16(node + 6);
    if (tree->which == WALK_FREE || size > sizeof blank) {
        return LK_OK;
    }
    if (at > 0 && tree->any) {
        size_t same = 0;
        while (same < size && same < tree->last_size && key[same] == tree->last[same]) {
            same++;
        }
        memcpy(blank, key, same);
        if (same < size && same < tree->last_size) {
            blank[same] = (uint8_t)(tree->last[same] + 1);
        }
    }
    if (memcmp(key, blank, size) == 0) {
        return LK_OK;
    }
    memcpy(key, blank, size);
    walk->wiped += size;
    return lk_lmdb_write_fully(walk->fd, key, size,
                               number * walk->meta.page_size + (uint64_t)(key - page));
}

static int walk_tree_run(struct lk_lmdb_walk *walk, unsigned which)
{
    struct walk_tree tree = {.want = &walk->meta.tree[which], .which = which};
    uint32_t size = walk->meta.page_size;
    uint64_t number[WALK_DEPTH];
    size_t at[WALK_DEPTH];
    unsigned depth = tree.want->depth;
    if (tree.want->root == WALK_NO_PAGE) {
        return LK_OK;
    }
    unsigned level = 0;
    number[0] = tree.want->root;
    at[0] = 0;
    bool fresh = true;
    for (;;) {
        uint8_t *page = walk->pages + (size_t)level * size;
        bool leaf = level + 1 == depth;
        if (fresh) {
            int rc = walk_load(walk, number[level], leaf, page);
            if (rc == LK_OK && leaf) {
                rc = walk_leaf(walk, &tree, page);
            }
            if (rc == LK_OK && walk->wipe) {
                rc = walk_wipe_page(walk, number[level], page, leaf);
            }
            if (rc != LK_OK) {
                return rc;
            }
            tree.branch_pages += leaf ? 0u : 1u;
            at[level] = 0;
            fresh = false;
        }
        if (leaf || at[level] >= walk_nodes(page)) {
            if (level == 0) {
                break;
            }
            level--;
            at[level]++;
            continue;
        }
        const uint8_t *node = walk_node(page, at[level]);
        if (at[level] > 0) {
            int rc = walk_separator(walk, &tree, node);
            if (rc != LK_OK) {
                return rc;
            }
        }
        if (walk->wipe) {
            int rc = walk_blank(walk, &tree, number[level], page, at[level]);
            if (rc != LK_OK) {
                return rc;
            }
        }
        level++;
        number[level] = walk_child(node);
        fresh = true;
    }
    bool same =
        tree.branch_pages == tree.want->branch_pages && tree.leaf_pages == tree.want->leaf_pages &&
        tree.overflow_pages == tree.want->overflow_pages && tree.entries == tree.want->entries;
    return same ? LK_OK : LK_E_CORRUPT;
}

int lk_lmdb_walk_begin(struct lk_lmdb_walk *walk, int fd, const struct lk_lmdb_meta *meta)
{
    size_t bits = (size_t)(meta->last_page / 8 + 1);
    *walk = (struct lk_lmdb_walk){.fd = fd, .meta = *meta};
    walk->live = calloc(1, bits);
    walk->free = calloc(1, bits);
    walk->pages = malloc((size_t)meta->page_size * WALK_DEPTH);
    if (walk->live == NULL || walk->free == NULL || walk->pages == NULL) {
        lk_lmdb_walk_end(walk);
        return LK_E_IO;
    }
    return LK_OK;
}

int lk_lmdb_walk_run(struct lk_lmdb_walk *walk)
{
    size_t bits = (size_t)(walk->meta.last_page / 8 + 1);
    memset(walk->live, 0, bits);
    memset(walk->free, 0, bits);
    walk->done = 0;
    int rc = walk_tree_run(walk, 1);
    return rc == LK_OK ? walk_tree_run(walk, WALK_FREE) : rc;
}

void lk_lmdb_walk_end(struct lk_lmdb_walk *walk)
{
    free(walk->live);
    free(walk->free);
    free(walk->pages);
    walk->live = NULL;
    walk->free = NULL;
    walk->pages = NULL;
}
