extension DashboardScript {
    /// Schedules, queues and workers.
    static let lists = #"""
        const rule = (schedule) => schedule.cron ? `${schedule.cron} (${schedule.zone})`
          : schedule.every ? `every ${schedule.every}${schedule.phase ? ', moved by ' + schedule.phase : ''}`
          : `${schedule.at.length} instants`;

        const counters = (schedule) => ['ran', 'skipped', 'missed', 'expired', 'backfilled']
          .filter((name) => schedule.counters[name] > 0 || name === 'ran')
          .map((name) => `${schedule.counters[name]} ${name}`).join(', ');

        const scheduleButtons = (schedule) => [
          button('Trigger', 'triggerSchedule', schedule.name),
          schedule.paused ? button('Resume', 'resumeSchedule', schedule.name) : button('Pause', 'pauseSchedule', schedule.name),
        ];

        async function scheduleList({ query }) {
          const page = await get('schedules', { ...chosen(query, ['cursor']), limit: pageItems });
          return [
            heading('Schedules'),
            table('Schedules', page.items, (schedule) => schedule.name, [
              ['Schedule', (schedule) => link(schedule.name, `schedules/${encoded(schedule.name)}`)],
              ['When', rule, 'text'],
              ['Handler', (schedule) => schedule.task.handler],
              ['Next', (schedule) => schedule.paused ? standing('paused') : time(schedule.next)],
              ['Last', (schedule) => time(schedule.last)],
              ['Last task', (schedule) => taskLink(schedule.lastTask)],
              ['So far', counters, 'text'],
              ['Actions', scheduleButtons, 'actions'],
            ], 'There is no schedule.'),
            pages('schedules', query, page.next),
          ];
        }

        const catchUp = (policy) => typeof policy === 'string' ? policy
          : policy.all ? `the latest ${policy.all}` : `all within ${policy.within}`;

        async function schedulePage({ item }) {
          const path = `schedules/${encoded(item)}`;
          const [schedule, past, coming] = await Promise.all([
            get(path), get(`${path}/occurrences`), get(`${path}/preview`, { count: '10' }),
          ]);
          const backfill = schedule.backfill;
          return [
            heading(`Schedule ${schedule.name}`),
            h('p', {}, schedule.paused && standing('paused'), ' ', scheduleButtons(schedule)),
            facts([
              ['When', rule(schedule)], ['Next', time(schedule.next)],
              ['Last', [time(schedule.last), ' ', schedule.lastTask && taskLink(schedule.lastTask)]],
              ['So far', counters(schedule)],
              ['Overlap', schedule.overlap], ['Catch up', catchUp(schedule.catchUp)],
              schedule.jitter !== '0s' && schedule.jitter !== '0ms' && ['Jitter', schedule.jitter],
              schedule.until && ['Until', time(schedule.until)],
              schedule.waiting && ['Waiting', time(schedule.waiting)],
              backfill && ['Backfill', [standing(backfill.state), ` ${backfill.ran} ran, ${backfill.repeated} repeated, ${backfill.skipped} skipped; from `,
                time(backfill.from), ' to ', time(backfill.to)]],
              ['Created', time(schedule.createdAt)],
            ]),
            h('p', {}, link('Its tasks', 'tasks', { schedule: schedule.name })),
            h('h3', {}, 'Next times'),
            table('Next times', coming.items, (each) => `${each.at}${each.local ?? ''}`, [
              ['At', (each) => time(each.at)], ['By the clocks', (each) => each.local ? `${each.local}: nothing runs` : each.change],
            ], 'None.'),
            h('h3', {}, 'How its last occurrences ended'),
            table('Occurrences', past.items, (each) => `${each.at}${each.state}${each.reason}`, [
              ['At', (each) => time(each.at)], ['State', (each) => standing(each.state)],
              ['Reason', (each) => each.reason], ['Task', (each) => taskLink(each.task)],
              ['Times', (each) => each.count, 'number'],
            ], 'None yet.'),
            h('h3', {}, 'Task'), json(schedule.task),
          ];
        }

        const pace = (queue) => queue.rate ? `${queue.rate}, burst ${queue.burst}` : null;

        const breaker = (queue) => queue.breaker
          ? [standing(queue.breaker.state), queue.breaker.until ? [' until ', time(queue.breaker.until)] : null] : null;

        async function queueList({ query }) {
          const page = await get('queues', { ...chosen(query, ['cursor']), limit: pageItems });
          return [
            heading('Queues'),
            table('Queues', page.items, (queue) => queue.name, [
              ['Queue', (queue) => link(queue.name, 'tasks', { queue: queue.name })],
              ['Pending', (queue) => queue.pending, 'number'],
              ['Due', (queue) => queue.ready, 'number'],
              ['Held', (queue) => queue.held, 'number'],
              ['Running', (queue) => queue.concurrency === null ? queue.running : `${queue.running} of ${queue.concurrency}`, 'number'],
              ['Rate', pace],
              ['May hold', (queue) => queue.maxPending, 'number'],
              ['Priority', (queue) => queue.priority, 'number'],
              ['Breaker', breaker],
              ['Paused', (queue) => queue.paused ? standing('paused') : ''],
              ['Actions', (queue) => queue.paused ? button('Resume', 'resumeQueue', queue.name) : button('Pause', 'pauseQueue', queue.name), 'actions'],
            ], 'There is no queue yet: one is there as soon as a task names it.'),
            pages('queues', query, page.next),
          ];
        }

        async function workerList({ query }) {
          const page = await get('workers', { ...chosen(query, ['cursor']), limit: pageItems });
          return [
            heading('Workers'),
            table('Workers', page.items, (worker) => worker.id, [
              ['Worker', (worker) => link(worker.id, 'tasks', { worker: worker.id })],
              ['State', (worker) => standing(worker.state)],
              ['Running', (worker) => `${worker.running} of ${worker.slots}`, 'number'],
              ['Handlers', (worker) => worker.handlers.join(', '), 'text'],
              ['Tags', (worker) => worker.tags.join(', ')],
              ['Last heard', (worker) => time(worker.lastHeartbeat)],
              ['Actions', (worker) => worker.state === 'live' ? button('Drain', 'drainWorker', worker.id)
                : worker.state === 'draining' ? button('Undrain', 'undrainWorker', worker.id) : '', 'actions'],
            ], 'There is no worker.'),
            pages('workers', query, page.next),
            known.cluster.leader !== known.cluster.node && h('p', { class: 'none' }, 'When a worker was last heard is known to the leader.'),
          ];
        }

        """#
}
