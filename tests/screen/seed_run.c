/* seed_run.c: see seed_run.h. */
#include "tests/screen/seed_run.h"

#include <stdlib.h>

#include "main/lab_sim.h"
#include "sim/plan.h"
#include "time_sched.h"

bool seed_run(const char *text, struct seed_end *out)
{
    char *error = NULL;
    struct plan p;
    struct plan_result r;
    if (plan_read(&p, "seed", text, &error)) {
        free(error);
        return false;
    }
    plan_run(&p, &r);
    *out = (struct seed_end){
        .held = !r.failure, .messages = r.messages, .confirmed = r.confirmed, .consumed = r.consumed};
    for (unsigned d = DOOR_L1; d <= DOOR_L5; d++)
        out->lost += r.lost[d];
    free(r.failure);
    plan_finish(&p);
    return true;
}

char *seed_run_wrong(const char *file, const char *text, enum seed_fault fault, struct replay_result *result)
{
    static const enum sim_sabotage sabotages[] = {
        [SEED_AS_IT_IS] = SABOTAGE_NONE,
        [SEED_CONFIRM_TWICE] = SABOTAGE_CONFIRM_TWICE,
        [SEED_CONFIRM_SWALLOWED] = SABOTAGE_CONFIRM_SWALLOWED,
        [SEED_ANSWER_TWICE] = SABOTAGE_ANSWER_TWICE,
        [SEED_TRANSIENT_FORGOTTEN] = SABOTAGE_TRANSIENT_FORGOTTEN,
    };
    char *error = NULL;
    struct sched s;
    struct plan p;
    if (sched_parse(&s, file, text, &error))
        return error;
    if (plan_read(&p, file, text, &error)) {
        sched_finish(&s);
        return error;
    }
    p.options.sabotage = sabotages[fault];
    struct sched_recorder *recorder = sched_recorder_create(&s, file);
    *result = (struct replay_result){.watch = sched_recorder_watch(recorder)};
    replay_plan_shown(&s, &p, result);
    char *recording = sched_recorder_end(recorder);
    plan_finish(&p);
    sched_finish(&s);
    return recording;
}
