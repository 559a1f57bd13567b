/** The parts of a settlement that write what became of providers' requests. */

/** Returns the part that keeps requests whose run failed; `from` gives them as `r`, `account` is their account. */
export function failedRequestsPart(from: string, account: string): string {
  // A request to a shared channel that names no sender belongs to the only account, if there is one.
  return `failed_requests as (insert into listener_request as x (id, account_id, channel_id, channel_version_id, lane_id,
      pipeline, pipe, state, reason, message, runs, payload, registered, received_at, failed_at, announced)
    select r.id, coalesce(${account}, c.account_id, (select (array_agg(id))[1] from account having count(*) = 1)),
      v.channel_id, r.version, r.lane, r.pipeline, r.pipe, 'failed', r.reason, r.message, 1, r.payload, r.registered::json,
      to_timestamp(r.received / 1000), $2, false
    from ${from} join channel_version v on v.id = r.version join channel c on c.id = v.channel_id
    on conflict (id) do update set state = 'failed', reason = excluded.reason, message = excluded.message,
      runs = x.runs + 1, registered = excluded.registered, failed_at = excluded.failed_at)`;
}

/** Returns the part that ends requests which were run again and did well; `from` gives their ids as `r`. */
export function doneRequestsPart(from: string): string {
  return `done_requests as (update listener_request x set state = 'done', runs = x.runs + 1 from ${from} where x.id = r.id)`;
}
