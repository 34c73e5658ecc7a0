/* test_protocol.c: the drawings of docs/protocol.md are what the code writes. Each message, metadata entry,
 * operation and log record is made up byte by byte as the page draws it, with values from a seed; the code
 * must read these bytes, find each value in the field that the page names, and write the same bytes again.
 * (The link's frames the code makes, and the page must have drawn them: frames.c.) The page must draw every
 * kind that the code has, with its number and its least length, and no other.
 *
 * Then the page is falsified, one mistake at a time, and each must be found. */
#include "tests/mirror/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/text.h"
#include "store/log_private.h"
#include "tests/docs/fields.h"
#include "tests/docs/frames.h"
#include "wire/peer.h"
#include "wire/record.h"

/* ---- bytes as the page draws them ---- */

struct maker {
    struct page *page;
    struct rng rng;
    bool least; /* the shortest there is */
    int only;   /* the kind of entry or operation to make; 0: any */
    struct text out;
};

static void put(struct maker *k, uint64_t v, size_t bytes)
{
    for (size_t i = bytes; i-- > 0;) {
        uint8_t b = (uint8_t)(v >> (8 * i));
        text_add_bytes(&k->out, &b, 1);
    }
}

static uint64_t any(struct maker *k, uint64_t below)
{
    return rng_below(&k->rng, below);
}

static size_t width(const char *type)
{
    return strncmp(type, "u8", 2) == 0 || strcmp(type, "bool") == 0   ? 1
           : strncmp(type, "u32", 3) == 0 || strcmp(type, "i32") == 0 ? 4
           : strncmp(type, "u64", 3) == 0 || strcmp(type, "i64") == 0 ? 8
                                                                      : 0;
}

static bool starred(const char *type, char item[32])
{
    snprintf(item, 32, "%s", type);
    char *star = strchr(item, '*');
    if (star)
        *star = 0;
    return star != NULL;
}

static void make_block(struct maker *k, const struct block *b);

/* an entry or an operation: a type, and what the page draws for it */
static void make_kind(struct maker *k, const char *kind)
{
    int number = k->only ? k->only : 1 + (int)any(k, (uint64_t)count_blocks(k->page, kind));
    if (k->least && !k->only)
        number = strcmp(kind, "entry") == 0 ? META_FORGET : OP_PURGE;
    const struct block *b = find_block(k->page, kind, NULL, number);
    if (!b) {
        wrong(k->page, "no %s has the number %d", kind, number);
        return;
    }
    put(k, (uint64_t)number, 1);
    make_block(k, b);
}

static void make_message(struct maker *k, bool maybe)
{
    const struct block *b = find_block(k->page, "part", "message", 0);
    if (maybe && (k->least || any(k, 2))) {
        put(k, 0, 1);
        return;
    }
    size_t data = 0;
    for (size_t i = 0; b && i < b->cells.len; i++) {
        const struct cell *c = &b->cells.items[i];
        size_t w = width(c->type);
        bool length = strstr(c->name, "_len") != NULL;
        uint64_t v = i == 0 ? 1 + 2 * any(k, 2) : length ? (k->least ? 0 : any(k, 9)) : any(k, 200);
        data += length ? (size_t)v : 0;
        put(k, v, w);
        for (; !w && data; data--)
            put(k, any(k, 256), 1);
    }
}

static void make_type(struct maker *k, const char *type, const char *name)
{
    char item[32];
    unsigned low, high;
    if (starred(type, item)) {
        uint64_t n = k->least ? 0 : any(k, 4);
        put(k, n, strcmp(type + strlen(item), "*8") == 0 ? 1 : 4);
        for (; n; n--)
            make_type(k, item, name);
    } else if (sscanf(type, "u8 %u-%u", &low, &high) == 2) {
        put(k, low + any(k, high - low + 1), 1);
    } else if (strcmp(type, "bool") == 0) {
        put(k, any(k, 2), 1);
    } else if (strcmp(type, "u8") == 0) {
        put(k, any(k, LIMIT_NODES), 1);
    } else if (width(type)) {
        put(k, any(k, UINT64_MAX), width(type));
    } else if (strcmp(type, "str") == 0 || strcmp(type, "blob") == 0) {
        uint64_t n = k->least ? 0 : any(k, 12);
        for (put(k, n, 4); n; n--)
            put(k, 'a' + any(k, 26), 1);
    } else if (strcmp(type, "message") == 0 || strcmp(type, "message?") == 0) {
        make_message(k, type[strlen("message")] == '?');
    } else if (strcmp(type, "entry") == 0 || strcmp(type, "operation") == 0) {
        make_kind(k, type);
    } else {
        const struct block *b = find_block(k->page, "part", type, 0);
        if (b)
            make_block(k, b);
        else
            wrong(k->page, "%s has the type %s, which is not drawn", name, type);
    }
}

static uint64_t last_number(const struct maker *k)
{
    uint64_t v = 0;
    for (size_t i = k->out.len - 8; i < k->out.len; i++)
        v = v << 8 | (uint8_t)k->out.s[i];
    return v;
}

static void make_block(struct maker *k, const struct block *b)
{
    size_t targets_at = 0;
    for (size_t i = 0; i < b->cells.len; i++) {
        const struct cell *c = &b->cells.items[i];
        if (strcmp(c->name, "targets") == 0)
            targets_at = k->out.len;
        if (strcmp(c->name, "last") == 0 &&
            strcmp(c->type, "u64") == 0) { /* a range ends where it begins, or later */
            uint64_t first = last_number(k);
            put(k, first + any(k, UINT64_MAX - first), 8);
        } else if (strcmp(c->type, "u64 per targets") == 0) {
            for (size_t n = 0; n < 32; n++)
                if ((uint8_t)k->out.s[targets_at + 3 - n / 8] >> (n % 8) & 1)
                    put(k, any(k, UINT64_MAX), 8);
        } else if (k->least && strcmp(c->name, "targets") == 0) {
            put(k, 0, 4);
        } else {
            make_type(k, c->type, c->name);
        }
    }
}

/* ---- what the code made of them ---- */

struct reader {
    struct page *page;
    const uint8_t *at, *end;
};

static uint64_t get(struct reader *r, size_t bytes)
{
    uint64_t v = 0;
    for (size_t i = 0; i < bytes && r->at < r->end; i++)
        v = v << 8 | *r->at++;
    return v;
}

static uint64_t in_memory(const void *at, size_t size)
{
    uint64_t v64;
    uint32_t v32;
    if (size == sizeof(v64))
        return memcpy(&v64, at, size), v64;
    if (size == sizeof(v32))
        return memcpy(&v32, at, size), v32;
    return *(const uint8_t *)at;
}

static void look_block(struct reader *r, const struct block *b, const uint8_t *base);

static void look_message(struct reader *r, const struct block *owner, const struct message *m)
{
    uint64_t flags = get(r, 1);
    if (!flags || !m) {
        if (flags || m)
            wrong(r->page, "%s %s: a message is where there is none", owner->kind, owner->name);
        return;
    }
    const struct block *b = find_block(r->page, "part", "message", 0);
    const struct {
        const char *name;
        uint64_t value;
    } has[] = {{"priority", m->priority}, {"exchange_len", m->exchange_len},
               {"key_len", m->key_len},   {"props_len", m->props_len},
               {"body_len", m->body_len}, {"expiration_ms", m->expiration_ms}};
    for (size_t i = 0; i < sizeof(has) / sizeof(*has); i++)
        if (!b || i + 1 >= b->cells.len || strcmp(b->cells.items[i + 1].name, has[i].name) != 0 ||
            get(r, width(b->cells.items[i + 1].type)) != has[i].value)
            wrong(r->page, "part message: %s is not there", has[i].name);
    if (m->persistent != ((flags & 2) != 0))
        wrong(r->page, "part message: flag 2 is not persistent");
    size_t len = (size_t)m->exchange_len + m->key_len + m->props_len + m->body_len;
    if ((size_t)(r->end - r->at) < len || memcmp(r->at, m->data, len) != 0)
        wrong(r->page, "part message: other data");
    r->at += len;
}

static void look_kind(struct reader *r, const char *kind, const void *base)
{
    int number = (int)get(r, 1);
    int type = strcmp(kind, "entry") == 0 ? (int)((const struct meta_entry *)base)->type
                                          : (int)((const struct op *)base)->type;
    const struct block *b = find_block(r->page, kind, NULL, number);
    if (number != type || !b)
        wrong(r->page, "%s %d was read as %d", kind, number, type);
    else
        look_block(r, b, base);
}

static void look_type(struct reader *r, const struct block *b, const struct cell *c, const char *type,
                      const void *at, size_t size)
{
    size_t w = width(type);
    if (w) {
        uint64_t v = get(r, w), mask = w == 8 ? UINT64_MAX : (1ull << (8 * w)) - 1;
        bool small = size < w || (size > w && !strchr(type, '-')); /* an enum is an int here */
        if (small || (in_memory(at, size) & mask) != v)
            wrong(r->page, "%s %s: %s is not a %s of that value in the code", b->kind, b->name, c->name,
                  type);
    } else if (strcmp(type, "str") == 0) {
        const char *s = *(char *const *)at;
        uint64_t len = get(r, 4);
        if (!s || strlen(s) != len || memcmp(s, r->at, len) != 0)
            wrong(r->page, "%s %s: %s is another text in the code", b->kind, b->name, c->name);
        r->at += len;
    } else if (strncmp(type, "message", 7) == 0) {
        look_message(r, b, *(struct message *const *)at);
    } else if (strcmp(type, "entry") == 0 || strcmp(type, "operation") == 0) {
        look_kind(r, type, at);
    } else {
        look_block(r, find_block(r->page, "part", type, 0), at);
    }
}

static void look_many(struct reader *r, const struct block *b, const struct cell *c, const struct field *f,
                      const char *item, const uint8_t *base)
{
    uint64_t n = get(r, 4), len = 0;
    const uint8_t *items;
    memcpy(&items, base + f->at, sizeof(items));
    len = strcmp(item, "blob") == 0 ? in_memory(base + f->len_at, 4)
                                    : in_memory(base + f->len_at, sizeof(size_t));
    if (n != len)
        wrong(r->page, "%s %s: %s has %llu items, in the code %llu", b->kind, b->name, c->name,
              (unsigned long long)n, (unsigned long long)len);
    for (uint64_t i = 0; i < n && !r->page->why[0]; i++)
        look_type(r, b, c, strcmp(item, "blob") == 0 ? "u8" : item, items + i * f->item, f->item);
}

static void look_places(struct reader *r, const struct meta_entry *e)
{
    uint64_t n = get(r, 1);
    bool same = n == e->mirrors_len;
    for (uint64_t i = 0; i < n && same; i++) {
        uint64_t node = get(r, 1);
        same = node == e->mirrors[i] && get(r, 4) == e->since[i];
    }
    if (!same)
        wrong(r->page, "entry QUEUE: other mirrors");
}

static void look_reigns(struct reader *r, const struct meta_entry *e)
{
    uint64_t n = get(r, 1);
    bool same = n == e->reigns.len;
    for (uint64_t i = 0; i < n && same; i++) {
        uint64_t from = get(r, 8);
        same = from == e->reigns.items[i].from && get(r, 8) == e->reigns.items[i].number;
    }
    if (!same)
        wrong(r->page, "entry QUEUE: other reigns");
}

static void look_block(struct reader *r, const struct block *b, const uint8_t *base)
{
    uint64_t targets = 0;
    for (size_t i = 0; i < b->cells.len && !r->page->why[0]; i++) {
        const struct cell *c = &b->cells.items[i];
        char item[32];
        const struct field *f = find_field(b, c->name);
        if (!f) {
            wrong(r->page, "%s %s: the code has no %s", b->kind, b->name, c->name);
        } else if (strcmp(c->type, "place*8") == 0) {
            look_places(r, (const struct meta_entry *)base);
        } else if (strcmp(c->type, "reign*8") == 0) {
            look_reigns(r, (const struct meta_entry *)base);
        } else if (strcmp(c->type, "u64 per targets") == 0) {
            for (size_t n = 0; n < LIMIT_NODES; n++)
                if (targets >> n & 1)
                    look_type(r, b, c, "u64", base + f->at + 8 * n, 8);
        } else if (starred(c->type, item) || strcmp(item, "blob") == 0) {
            if (f->item)
                look_many(r, b, c, f, item, base);
            else
                wrong(r->page, "%s %s: %s is no list in the code", b->kind, b->name, c->name);
        } else {
            if (strcmp(c->name, "targets") == 0)
                targets = in_memory(base + f->at, 4);
            look_type(r, b, c, c->type, base + f->at, f->size);
        }
    }
}

/* ---- one kind ---- */

static void check_message(struct page *p, const struct block *b, const struct text *made)
{
    uint8_t *frame = xmalloc(made->len + 4);
    for (int i = 0; i < 4; i++)
        frame[i] = (uint8_t)(made->len >> (24 - 8 * i));
    memcpy(frame + 4, made->s, made->len);
    int err;
    struct peer_msg *msg = wire_decode_peer(bytes_of(frame, made->len + 4), &err);
    if (!msg) {
        wrong(p, "message %s: the code cannot read what the page draws (%d)", b->name, err);
    } else {
        struct reader r = {p, frame + 4 + 1, frame + 4 + made->len};
        const struct block *head = find_block(p, "part", "message_head", 0);
        if (!head || head->cells.len != 2 || get(&r, 8) != msg->epoch || (int)msg->type != b->number)
            wrong(p, "message %s: another head", b->name);
        look_block(&r, b, (const uint8_t *)msg);
        struct text again = {0};
        wire_encode_peer(msg, &again);
        if (again.len != made->len + 4 || memcmp(again.s, frame, again.len) != 0)
            wrong(p, "message %s: the code writes other bytes", b->name);
        text_finish(&again);
    }
    peer_msg_destroy(msg);
    free(frame);
}

static void check_record(struct page *p, const struct block *b, const struct text *made)
{
    struct record rec;
    int err = wire_decode_record(bytes_of(made->s, made->len), &rec);
    if (err) {
        wrong(p, "record %s: the code cannot read what the page draws (%d)", b->name, err);
        return;
    }
    struct reader r = {p, (const uint8_t *)made->s + 1, (const uint8_t *)made->s + made->len};
    if (strcmp(b->name, "META") == 0) { /* its entry is on the heap */
        if (get(&r, 8) != rec.version)
            wrong(p, "record META: another version");
        look_kind(&r, "entry", rec.entry);
    } else {
        look_block(&r, b, (const uint8_t *)&rec);
    }
    struct text again = {0};
    wire_encode_record(&rec, &again);
    if (again.len != made->len || memcmp(again.s, made->s, again.len) != 0)
        wrong(p, "record %s: the code writes other bytes", b->name);
    text_finish(&again);
    record_finish(&rec);
}

#define TRIES 40

static void check_kind(struct page *p, const char *kind, int number)
{
    const struct block *b = find_block(p, kind, kind_name(kind, number), 0);
    if (!b || b->number != number || find_block(p, kind, NULL, number) != b) {
        wrong(p, "%s %s (%d) is not drawn once, with its number", kind, kind_name(kind, number), number);
        return;
    }
    bool message = strcmp(kind, "message") == 0, record = strcmp(kind, "record") == 0;
    bool varies = false;
    for (int i = 0; i < TRIES && !p->why[0]; i++) {
        struct maker k = {.page = p, .least = i == 0, .only = message || record ? 0 : number};
        rng_init(&k.rng, (uint64_t)(number * TRIES + i));
        int carrier = strcmp(kind, "operation") == 0 ? PEER_OPS
                                                     : PEER_META; /* what an operation, an entry is sent in */
        put(&k, (uint64_t)(message || record ? number : carrier), 1);
        if (!record)
            put(&k, any(&k, UINT64_MAX), 8);
        size_t before = k.out.len;
        if (message || record) {
            make_block(&k, b);
            before = 0;
        } else {
            const struct block *in = find_block(p, "message", NULL, carrier);
            for (size_t c = 0; in && c + 1 < in->cells.len; c++)
                make_type(&k, in->cells.items[c].type, in->cells.items[c].name);
            if (carrier == PEER_OPS)
                put(&k, 1, 4);
            before = k.out.len;
            make_kind(&k, kind);
        }
        size_t len = k.out.len - before;
        if (i == 0 && len != b->least)
            wrong(p, "%s %s has at least %zu bytes, not %zu", kind, b->name, len, b->least);
        varies = varies || len != b->least;
        if (record)
            check_record(p, b, &k.out);
        else
            check_message(p, message ? b : find_block(p, "message", NULL, carrier), &k.out);
        text_finish(&k.out);
    }
    if (varies == b->fixed)
        wrong(p, "%s %s is %s long", kind, b->name, varies ? "not always so" : "always so");
}

static void check_part(struct page *p, const struct block *b)
{
    bool varies = false;
    for (int i = 0; i < TRIES && !p->why[0]; i++) {
        struct maker k = {.page = p, .least = i == 0};
        rng_init(&k.rng, (uint64_t)i);
        if (strcmp(b->name, "message") == 0)
            make_message(&k, false);
        else
            make_block(&k, b);
        if (i == 0 && k.out.len != b->least)
            wrong(p, "part %s has at least %zu bytes, not %zu", b->name, k.out.len, b->least);
        varies = varies || k.out.len != b->least;
        text_finish(&k.out);
    }
    if (varies == b->fixed)
        wrong(p, "part %s is %s long", b->name, varies ? "not always so" : "always so");
}

/* A head that has a place for each field, as bytes of the code. */
static void check_head(struct page *p, const char *name, const uint8_t *bytes, size_t len, const char *names,
                       const uint64_t *values)
{
    const struct block *b = find_block(p, "part", name, 0);
    if (!b || b->least != len) {
        wrong(p, "part %s: not drawn with %zu bytes", name, len);
        return;
    }
    struct reader r = {p, bytes, bytes + len};
    char drawn[128] = "";
    for (size_t i = 0; i < b->cells.len; i++) {
        const struct cell *c = &b->cells.items[i];
        size_t w = width(c->type);
        snprintf(drawn + strlen(drawn), sizeof(drawn) - strlen(drawn), "%s%s", i ? " " : "", c->name);
        unsigned long many = 0;
        if (!w && sscanf(c->type, "bytes %lu", &many) == 1)
            r.at += many;
        else if (get(&r, w) != values[i])
            wrong(p, "part %s: %s is not there", name, c->name);
    }
    if (strcmp(drawn, names) != 0 || r.at != r.end)
        wrong(p, "part %s: fields %s, in the code %s", name, drawn, names);
}

static void check_log(struct page *p)
{
    uint8_t segment[SEGMENT_HEAD];
    segment_head_put(segment, 0x0102030405060708);
    const uint64_t in_segment[] = {0, SEGMENT_VERSION, 0x0102030405060708};
    check_head(p, "segment_head", segment, sizeof(segment), "magic version number", in_segment);
    uint8_t record[RECORD_HEAD + 3] = {0};
    record_head_put(record, 7, 3, 0x11223344, RECORD_VERSION);
    const uint64_t in_record[] = {log_get_u64(record), 3, 0x11223344, RECORD_VERSION, 0};
    check_head(p, "record_head", record, RECORD_HEAD, "checksum length commit version zero", in_record);
}

static void check_tags(struct page *p)
{
    size_t known = 0;
    for (int tag = 0; tag < 128; tag++)
        known += strcmp(tag_name((enum frame_tag)tag), "?") != 0;
    for (size_t i = 0; i < p->tags.len; i++)
        if (strcmp(tag_name((enum frame_tag)p->tags.items[i]), "?") == 0)
            wrong(p, "no frame has the tag '%c'", p->tags.items[i]);
    if (p->tags.len != known)
        wrong(p, "%zu tags of frames, in the code %zu", p->tags.len, known);
}

static void check_page(struct page *p)
{
    const struct {
        const char *kind;
        int last;
    } all[] = {
        {"message", PEER_ACTIVE}, {"record", REC_ORIGIN}, {"entry", META_FORGET}, {"operation", OP_LOST}};
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        if (strcmp(kind_name(all[i].kind, all[i].last + 1), "?") != 0)
            wrong(p, "there are more %ss than this test knows", all[i].kind);
        if (count_blocks(p, all[i].kind) != all[i].last)
            wrong(p, "%d %ss are drawn, the code has %d", count_blocks(p, all[i].kind), all[i].kind,
                  all[i].last);
        for (int n = 1; n <= all[i].last; n++)
            check_kind(p, all[i].kind, n);
    }
    for (size_t i = 0; i < p->blocks.len; i++)
        if (strcmp(p->blocks.items[i].kind, "part") == 0 && !strstr(p->blocks.items[i].name, "_head"))
            check_part(p, &p->blocks.items[i]);
    check_log(p);
    check_tags(p);
    check_frames(p);
}

/* ---- the tests ---- */

static char *page_text;

static int setup(void **state)
{
    (void)state;
    FILE *f = fopen("docs/protocol.md", "r");
    if (!f)
        return -1;
    struct text t = {0};
    char buffer[4096];
    for (size_t n; (n = fread(buffer, 1, sizeof(buffer), f)) > 0;)
        text_add_bytes(&t, buffer, n);
    fclose(f);
    page_text = xstrdup(text_str(&t));
    text_finish(&t);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(page_text);
    return 0;
}

static void the_page_draws_what_the_code_writes(void **state)
{
    (void)state;
    struct page p;
    page_read(&p, page_text);
    check_page(&p);
    if (p.why[0])
        fail_msg("docs/protocol.md: %s", p.why);
    page_finish(&p);
}

/* after the line that begins so, the first `old` becomes `new`, of the same length */
static void falsify(const char *after, const char *old, const char *new, const char *finding)
{
    char *text = xstrdup(page_text);
    char *at = strstr(text, after);
    at = at ? strstr(at, old) : NULL;
    if (!at)
        fail_msg("the page has no \"%s\" after \"%s\"", old, after);
    assert_int_equal(strlen(old), strlen(new));
    memcpy(at, new, strlen(new));
    struct page p;
    page_read(&p, text);
    check_page(&p);
    if (!p.why[0] || !strstr(p.why, finding))
        fail_msg("\"%s\" for \"%s\" after \"%s\": found \"%s\", not \"%s\"", new, old, after, p.why, finding);
    page_finish(&p);
    free(text);
}

static void every_mistake_is_found(void **state)
{
    (void)state;
    falsify("message PREPARE (2)", "from 29", "from 25", "at least");
    falsify("message PREPARE (2)", ", from 29", ", 29     ", "not always so");
    falsify("message LEFT (9)", "LEFT (9)", "LEFT (8)", "is not drawn once");
    falsify("message HEAL (10)", "HEAL", "HEEL", "is not drawn once");
    falsify("message HELLO (1)", "incarnation | version", "version | incarnation", "of that value");
    falsify("message HELLO (1)", "u64", "u32", "");
    falsify("message HELLO (1)", "serving", "server ", "has no server");
    falsify("message OPS_ACK (19)", "applied | durable", "durable | applied", "of that value");
    falsify("message SETTLE (31)", "u64*", "u64 ", "");
    falsify("operation PUBLISH (1)", "expiry", "expire", "the code has no expire");
    falsify("entry POLICY (4)", "pattern | apply_to", "apply_to | pattern", "another text");
    falsify("part repair", "source | node", "node | source", "");
    falsify("part message, from", "props_len | body_len", "body_len | props_len", "part message");
    falsify("record LEASE (8)", "LEASE (8)", "LEASE (9)", "is not drawn once");
    falsify("record REJECTED (10)", "seq | base", "base | seq", "");
    falsify("part record_head", "length | commit", "commit | length", "part record_head");
    falsify("part segment_head", "u32", "u64", "part segment_head");
    falsify("| `K` ", "`K`", "`k`", "no frame has the tag 'k'");
    falsify("frame knock", "'K'", "'k'", "something else as tag");
    falsify("frame knock", "from 15", "from 14", "has at least 15");
    falsify("frame knock", "mirrorlab", "mirrorlap", "something else as magic");
    falsify("frame hello", "u8 3", "u8 2", "something else as version");
    falsify("frame hello", "bytes 32", "bytes 31", "something else as nonce");
    falsify("frame hello", "incarnation | nonce ", "nonce | incarnation ", "something else as nonce");
    falsify("frame hello", "from | to  ", "to   | from", "something else as to");
    falsify("frame hello", "u64 ", "u32 ", "something else as incarnation");
    falsify("frame proof", "proof, 37", "proof, 36", "has at least 37 bytes");
    falsify("frame proof", "bytes 32", "bytes 20", "something else as hmac");
    falsify("frame welcome", "welcome", "willkom", "frame welcome is not drawn");
    falsify("frame refused", ", from 5", ", 5     ", "not always so");
    falsify("frame message", "u32 ", "u64 ", "something else as length");
    falsify("frame message", "type | epoch", "epoch | type", "something else as epoch");
    falsify("frame ping", "'.'", "','", "something else as tag");
    falsify("frame question", "number | text ", "text   | numb ", "something else as text");
    falsify("frame answer", "u64", "u32", "something else as number");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_draws_what_the_code_writes),
        cmocka_unit_test(every_mistake_is_found),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
