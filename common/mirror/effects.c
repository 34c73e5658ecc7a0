/* effects.c: an ordered list of what is to be done, and who owns what in it. */
#include "mirror/effects.h"

#include <stdlib.h>

#include "mirror/peer_msg.h"

#include "base/ban.h"

struct effect *effects_add(struct effects *fx, enum effect_type type)
{
    if (fx->len == fx->cap) {
        fx->cap = fx->cap ? fx->cap * 2 : 32;
        fx->items = xrealloc(fx->items, fx->cap * sizeof(*fx->items));
    }
    struct effect *e = &fx->items[fx->len++];
    *e = (struct effect){.type = type};
    return e;
}

void record_finish(struct record *rec)
{
    message_unref(rec->msg);
    free(rec->ranges);
    free(rec->forgotten);
    if (rec->entry) {
        meta_entry_finish(rec->entry);
        free(rec->entry);
    }
    *rec = (struct record){.type = rec->type};
}

void effect_finish(struct effect *fx)
{
    switch (fx->type) {
    case FX_SEND: peer_msg_destroy(fx->u.send.msg); break;
    case FX_PERSIST:
        if (fx->u.record) {
            record_finish(fx->u.record);
            free(fx->u.record);
        }
        break;
    case FX_EVENT:
        free(fx->u.event.queue);
        free(fx->u.event.text);
        break;
    case FX_FAILED: free(fx->u.failed.text); break;
    case FX_ANSWER:
        free(fx->u.answer.text);
        message_unref(fx->u.answer.msg);
        break;
    case FX_DELIVER: message_unref(fx->u.deliver.msg); break;
    case FX_META:
        free(fx->u.meta.key);
        free(fx->u.meta.value);
        break;
    case FX_QUEUE_GONE:
    case FX_QUEUE_OPEN: free(fx->u.queue.name); break;
    case FX_DEAD_LETTER:
        message_unref(fx->u.dead_letter.msg);
        free(fx->u.dead_letter.queue);
        free(fx->u.dead_letter.exchange);
        free(fx->u.dead_letter.key);
        break;
    case FX_REPLY:
        free(fx->u.client.data);
        message_unref(fx->u.client.msg);
        break;
    case FX_SERVING:
    case FX_STOPPED:
    case FX_RESTART:
    case FX_CONFIRM:
    case FX_CANCELLED:
    case FX_META_ALL:
    case FX_CLOSE:
    case FX_PAUSE:
    case FX_RESUME: break;
    }
    memset(&fx->u, 0, sizeof(fx->u));
}

void effects_clear(struct effects *fx)
{
    for (size_t i = 0; i < fx->len; i++)
        effect_finish(&fx->items[i]);
    fx->len = 0;
}

void effects_free(struct effects *fx)
{
    effects_clear(fx);
    free(fx->items);
    *fx = (struct effects){0};
}
