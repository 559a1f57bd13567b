/**
 * Chooses the sender of messages that name none: the first rule that fits, its senders by weight. A sender whose lane
 * is paused or open is passed over; where all are, the weights stand as they were declared and the message waits.
 */
import type { ChannelDocument } from '../../channel/document.ts';
import { Failure } from '../../errors.ts';
import type { SqlValue } from '../../storage/database.ts';
import type { LaunchChoice } from '../../storage/launches.ts';
import { chooseSenders, type Pick, pickJoin, restingLanes, ruleCase } from '../../storage/sender-choice.ts';
import type { SenderRulesRow } from '../../storage/sender-rules.ts';
import { refused } from '../directory/find-channel.ts';
import type { PreparedMessage } from '../directory/message-request.ts';
import type { Lanes } from '../lanes/lanes.ts';
import type { Runtime } from '../runtime.ts';
import type { Addressee } from './address-messages.ts';

export interface SenderChoice {
  readonly senderId: string | null;
  readonly laneId: number;
  readonly routeId: number | null;
}

/** Where messages of one kind go. */
export interface ChoicePlace {
  readonly document: ChannelDocument;
  readonly accountId: string;
  readonly resourceId: string;
  readonly urgent: boolean;
}

export interface SenderChooser {
  /** For each message, in their order; of those without rules what they were prepared with. A Failure where no rule fits. */
  readonly forMessages: (
    prepared: readonly PreparedMessage[],
    addressees: readonly (Addressee | Failure | undefined)[],
  ) => Promise<(SenderChoice | Failure)[]>;
  /** For the pages of a launch, with bound values from `$first` on. */
  readonly forLaunch: (rules: SenderRulesRow, place: ChoicePlace, first: number) => Promise<LaunchChoice>;
}

export function createSenderChooser(runtime: Runtime, lanes: Lanes): SenderChooser {
  const { database } = runtime;

  const picksOf = async (
    { rules, routes, senders }: SenderRulesRow,
    { document, accountId, resourceId, urgent }: ChoicePlace,
  ): Promise<Pick[]> => {
    const named = new Set(rules.flatMap((rule) => rule.senders.map((each) => each.sender)));
    const places = new Map<string, { senderId: string; laneId: number }>();
    await Promise.all(
      [...named].map(async (sid) => {
        const senderId = senders?.[sid];
        if (senderId === undefined) return;
        const lane = await lanes.laneOf({
          ...{ document, accountId, senderId, resourceId, urgent },
          inbound: false,
        });
        places.set(sid, { senderId, laneId: lane.id });
      }),
    );
    const resting = await restingLanes(
      database,
      [...places.values()].map((place) => place.laneId),
    );
    return rules.flatMap((rule, index): Pick[] => {
      const known = rule.senders.flatMap(({ sender, weight = 1 }) => {
        const place = places.get(sender);
        return place === undefined ? [] : [{ ...place, weight }];
      });
      const awake = known.filter((each) => !resting.has(each.laneId));
      const offered = awake.length > 0 ? awake : known;
      if (offered.length === 0) return [];
      let total = 0;
      const bounds = offered.map(({ weight }) => {
        total += weight;
        return total;
      });
      return [
        {
          rule: index,
          total,
          bounds,
          senders: offered.map((each) => each.senderId),
          lanes: offered.map((each) => each.laneId),
          route: routes[index] ?? 0,
        },
      ];
    });
  };

  /** Messages of one channel, account, resource and class of lane: one query for all of them. */
  const chooseAlike = async (
    group: readonly { each: PreparedMessage; addressee: Addressee | undefined; place: number }[],
    rules: SenderRulesRow,
    into: (SenderChoice | Failure)[],
  ) => {
    const [first] = group;
    if (first === undefined) return;
    const { accountId, channel, resourceId } = first.each;
    const { document } = channel;
    const urgent = first.each.messageClass === 'urgent';
    const picks = await picksOf(rules, { document, accountId, resourceId, urgent });
    const rows = await chooseSenders(
      database,
      group.map(({ each, addressee }) => ({
        id: each.id,
        profileId: addressee?.profileId ?? null,
        subscriptionId: addressee?.subscriptionId ?? null,
        class: each.messageClass,
      })),
      rules.rules,
      picks,
    );
    group.forEach(({ place }, index) => {
      const row = rows[index];
      into[place] =
        row === undefined || row.sender_id === null || row.lane_id === null
          ? refused(
              '/sender',
              `Name the sender: no sender rule of channel "${document.sid}" fits this message.`,
            )
          : { senderId: row.sender_id, laneId: row.lane_id, routeId: row.route_id };
    });
  };

  return Object.freeze<SenderChooser>({
    forMessages: async (prepared, addressees) => {
      const chosen: (SenderChoice | Failure)[] = prepared.map(({ senderId, laneId }) => ({
        senderId,
        laneId,
        routeId: null,
      }));
      const groups = new Map<
        string,
        {
          rules: SenderRulesRow;
          members: { each: PreparedMessage; addressee: Addressee | undefined; place: number }[];
        }
      >();
      prepared.forEach((each, place) => {
        const { rules, accountId, channel, resourceId } = each;
        const addressee = addressees[place];
        if (rules === undefined || addressee instanceof Failure) return;
        const key = `${accountId}/${channel.versionId}/${resourceId}/${each.messageClass === 'urgent'}`;
        const group = groups.get(key) ?? { rules, members: [] };
        groups.set(key, group);
        group.members.push({ each, addressee, place });
      });
      await Promise.all(
        [...groups.values()].map(({ rules, members }) => chooseAlike(members, rules, chosen)),
      );
      return chosen;
    },
    forLaunch: async (rules, place, first) => {
      const picks = await picksOf(rules, place);
      const values: SqlValue[] = [];
      const bind = (value: SqlValue) => {
        values.push(value);
        return `$${first + values.length - 1}`;
      };
      return {
        rule: ruleCase(rules.rules, { class: 'l.class', mailing: 'l.mailing_name' }, bind),
        join: (id, rule) => pickJoin(picks, id, rule, bind),
        values,
      };
    },
  });
}
