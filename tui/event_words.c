/* event_words.c: what nodes and the observer tell of, in the language of the locale. They tell it in English,
 * in these sentences; names and numbers stand where %s is. A sentence that is not here is shown as it came.
 * (What this program itself concludes is a fact, lab/fact.h, and needs no list.) */
#include <stdlib.h>

#include "base/base.h"
#include "view.h"
#include "words.h"

/* The longer one first where one begins as another. A translation keeps the order of its %s. */
static const char *const sentences[] = {
    /* nodes */
    N_("%s does not answer: its process is gone"),
    N_("%s does not answer"),
    N_("%s answers again"),
    N_("%s is up"),
    N_("%s is down"),
    N_("%s was stopped"),
    N_("%s not running; it was cut off from the others before"),
    N_("%s not running"),
    N_("%s running"),
    N_("%s has said nothing for %s ms: the link to it is closed"),
    N_("%s is in another view: the cluster is partitioned"),
    N_("%s serves in another view: the cluster was partitioned"),
    N_("%s saw that the cluster was partitioned"),
    N_("%s is of this cluster no more"),
    N_("%s waits for nodes that were running when it left: %s"),
    N_("%s is forced to start without nodes that were running when it left: %s"),
    N_("no link to %s: %s"),
    N_("%s of %s bytes is too long for %s, a mistake in mirrorlab: keep fewer bytes unconfirmed"),
    N_("%s begins a frame of %s bytes, too long: its link is closed. Are both nodes of one version?"),
    N_("%s sent a message that is %s: the link to it is closed"),
    N_("%s sent a frame of unknown kind %s: the link to it is closed"),
    N_("%s has not taken %s MiB that were sent to it: the link is closed"),
    N_("%s is with the minority and waits"),
    N_("%s pauses: it reaches %s of %s nodes, not more than half"),
    N_("autoheal: %s begins again, the side of %s decided so"),
    N_("autoheal: the side of %s wins with %s client; the others begin again"),
    N_("autoheal: the side of %s wins with %s clients; the others begin again"),
    /* memory, disk, clients */
    N_("memory: %s MiB in use, over the limit of %s MiB: publishers wait"),
    N_("memory: back to %s MiB: publishers go on"),
    N_("%s MiB in use: messages that are not wanted soon go to the disk"),
    N_("no message is on the disk only because of its size any more"),
    N_("paging: %s: no message leaves memory; make room on the disk. Publishers wait at %s MiB"),
    N_("the log could not be made smaller: %s"),
    N_("no more clients can come in (%s are connected): %s"),
    N_("a client was refused, and %s before it: %s"),
    N_("a client was refused: %s"),
    /* queues */
    N_("queue %s declared on %s"),
    N_("%s declared on %s"),
    N_("queue %s deleted"),
    N_("%s was not used for %s ms"),
    N_("%s declared"),
    N_("%s is gone"),
    N_("%s is running"),
    N_("%s is syncing"),
    N_("%s is stopped: its only copy is on %s"),
    N_("%s is stopped: its copies are on %s"),
    N_("%s is down: its only copy is on %s"),
    N_("%s is down: its copies are on %s"),
    N_("%s is stopped"),
    N_("%s is back on %s, %s message"),
    N_("%s is back on %s, %s messages"),
    N_("%s: no mirror in sync, so it stops with its master on %s"),
    N_("%s holds %s message"),
    N_("%s holds %s messages"),
    N_("%s: %s published, %s confirmed, %s refused"),
    N_("%s: %s published, %s confirmed"),
    N_("%s: %s published"),
    N_("%s: %s confirmed, %s refused"),
    N_("%s: %s confirmed"),
    N_("%s: %s acknowledged, %s handed out"),
    N_("%s: %s acknowledged"),
    N_("%s: %s handed out"),
    N_("%s: %s is lost: %s came back without it"),
    N_("%s: %s are lost: %s came back without them"),
    N_("%s: %s message is lost: %s was promoted without it"),
    N_("%s: %s messages are lost: %s was promoted without them"),
    N_("%s: %s is lost: %s was promoted without it"),
    N_("%s: %s are lost: %s was promoted without them"),
    N_("%s: %s is lost: discarded with the side of %s"),
    N_("%s: %s are lost: discarded with the side of %s"),
    N_("%s: %s is lost: no node has it, and nobody took it"),
    N_("%s: %s are lost: no node has them, and nobody took them"),
    N_("%s: %s message is lost: its only copy was on %s"),
    N_("%s: %s messages are lost: their only copies were on %s"),
    N_("%s: %s transient message gone after the restart"),
    N_("%s: %s transient messages gone after the restart"),
    N_("opened here; what %s told before going is not listed"),
    N_("opened here; what %s told before going is listed as far as an earlier screen kept it"),
    N_("%s did not note all: more was published than is counted"),
    N_("%s has ONE copy: stopping %s hides it"),
    N_("%s has ONE copy: stopping %s loses it"),
    N_("%s has ONE copy: stopping %s may lose it"),
    N_("%s: what %s held on its side is discarded, %s message; %s goes on with %s"),
    N_("%s: what %s held on its side is discarded, %s messages; %s goes on with %s"),
    N_("%s: what %s held on its side is discarded, %s message"),
    N_("%s: what %s held on its side is discarded, %s messages"),
    N_("%s: what %s held on its side is discarded"),
    N_("%s was on the side of %s alone, with %s message: no node that answers knows it now"),
    N_("%s was on the side of %s alone, with %s messages: no node that answers knows it now"),
    N_("%s was on the side of %s alone: no node that answers knows it now"),
    /* mirrors */
    N_("%s: %s promoted, in sync, %s message"),
    N_("%s: %s promoted, in sync, %s messages"),
    N_("%s: %s promoted, NOT in sync: %s message before, now %s"),
    N_("%s: %s promoted, NOT in sync: %s messages before, now %s"),
    N_("%s: %s promoted, NOT in sync, %s message"),
    N_("%s: %s promoted, NOT in sync, %s messages"),
    N_("%s: %s promoted"),
    N_("%s has a new master: %s (was %s)"),
    N_("mirror of %s on %s added, empty"),
    N_("mirror of %s on %s added"),
    N_("mirror of %s on %s removed"),
    N_("%s on %s in sync"),
    N_("%s on %s, not in sync yet"),
    N_("%s no longer on %s"),
    N_("%s: copying %s message to %s"),
    N_("%s: copying %s messages to %s"),
    N_("%s: copying %s message"),
    N_("%s: copying %s messages"),
    N_("%s: copied %s message"),
    N_("%s: copied %s messages"),
    N_("%s: copying cancelled"),
    /* why a node does not answer */
    N_("no connection"),
    N_("no answer yet"),
    N_("cannot connect"),
    N_("no answer in %s ms"),
    N_("HTTP %s (wrong user or password)"),
    N_("its answer is not JSON"),
    N_("its answer is not a list"),
    N_("it does not run"),
    /* policies */
    N_("%s follows no policy"),
    N_("%s follows policy %s"),
    N_("%s set on %s: %s"),
    N_("%s changed on %s: %s"),
    N_("%s cleared"),
};

/* what an event is about, as nodes and the observer call it; two words at most, in eight columns */
static const char *const kinds[] = {
    N_("node"),  N_("queue"),  N_("mirror"), N_("promote"), N_("sync"), N_("policy"), N_("publish"),
    N_("alarm"), N_("memory"), N_("disk"),   N_("count"),   N_("hint"), N_("step"),   N_("set-up"),
    N_("seen"),  N_("get"),    N_("screen"), N_("refused"), N_("lost"),
};

const char *event_kind(const struct event_seen *e)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strcmp(e->kind, kinds[i]) == 0)
            return _(kinds[i]);
    return e->kind;
}

#define MOST_PARTS 5

struct part {
    const char *at;
    size_t len;
};

/* whether the text is this sentence; what stands at its %s: the shortest that fits, never nothing */
static bool fits(const char *text, const char *sentence, struct part *parts)
{
    if (strncmp(sentence, "%s", 2) != 0)
        return *sentence == *text && (!*text || fits(text + 1, sentence + 1, parts));
    for (size_t len = 1, all = strlen(text); len <= all; len++)
        if (fits(text + len, sentence + 2, parts + 1)) {
            *parts = (struct part){text, len};
            return true;
        }
    return false;
}

static char *fill(const char *sentence, const struct part *parts)
{
    struct text t = {0};
    for (size_t n = 0, len; *sentence; sentence += len) {
        len = strcspn(sentence, "%");
        text_add_bytes(&t, sentence, len);
        if (sentence[len]) { /* %s: there is no other */
            ASSERT(n < MOST_PARTS);
            text_add_bytes(&t, parts[n].at, parts[n].len);
            n++;
            len += 2;
        }
    }
    return t.s ? t.s : xstrdup("");
}

char *told_words(const char *text)
{
    for (size_t i = 0; i < ARRAY_LEN(sentences); i++) {
        struct part parts[MOST_PARTS] = {{0}};
        const char *translated = _(sentences[i]);
        if (translated != sentences[i] && fits(text, sentences[i], parts))
            return fill(translated, parts);
    }
    return xstrdup(text);
}

char *event_words(const struct event_seen *e)
{
    return e->fact ? fact_text(e->fact, lesson_words) : told_words(e->text);
}
