/**
 * The code module `push`: sends the notifications of the built-in channel Push to the push services of browsers
 * (RFC 8030), encrypted for the one browser (RFC 8291), signed with the sender's VAPID keys (RFC 8292).
 */
import webPush from 'web-push';
import { Failure } from '../errors.ts';
import type { HttpAnswer, HttpRequest, ModuleAnswer, ModuleRequest } from '../pipes/contract.ts';
import { parseTarget } from './http-target.ts';
import { numberOf, textOf } from './module-values.ts';
import { pushVerdict } from './push-verdict.ts';

export interface PushOptions {
  /** The guarded client. */
  readonly send: (request: HttpRequest, laneKey: string) => Promise<HttpAnswer>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface Push {
  /**
   * Sends one notification. Throws HTTP_STATUS, HTTP_NETWORK, HTTP_TIMEOUT (`ambiguous` where the request was sent),
   * AUTH_FAILED, VALUES_INVALID, ADDRESS_FORBIDDEN, HTTP_URL_INVALID, SHUTDOWN.
   */
  readonly send: (request: ModuleRequest, place: { readonly laneId: number }) => Promise<ModuleAnswer>;
}

const ENCODING = 'aes128gcm';
const TIMEOUT_MS = 15_000;
const MAX_RESPONSE_BYTES = 65_536;
/** What every push service takes (RFC 8291, section 4), less what encryption adds. */
const MAX_PAYLOAD_BYTES = 3_993;
const DEFAULT_TTL_SECONDS = 86_400;
/** Signatures are good for 12 hours; they are made again long before. */
const SIGNATURE_KEPT_MS = 3_600_000;
const SIGNATURES_KEPT = 1_000;

/** Keeps signatures for a while: there is one for each push service and sender. */
export function createPush({ send, now }: PushOptions): Push {
  const signatures = new Map<string, { readonly header: string; readonly untilMs: number }>();

  const signatureOf = (sender: ModuleRequest['sender'], audience: string): string => {
    const publicKey = textOf(sender, 'public_key').replace(/=+$/, '');
    const privateKey = textOf(sender, 'private_key').replace(/=+$/, '');
    const contact = textOf(sender, 'contact');
    const key = JSON.stringify([audience, publicKey, privateKey, contact]);
    const known = signatures.get(key);
    if (known !== undefined && known.untilMs > now()) return known.header;
    const header = sign(audience, contact, publicKey, privateKey);
    if (signatures.size >= SIGNATURES_KEPT) signatures.clear();
    signatures.set(key, { header, untilMs: now() + SIGNATURE_KEPT_MS });
    return header;
  };

  return Object.freeze<Push>({
    send: async (request, { laneId }) => {
      const { sender, subscription, template } = request;
      const url = textOf(subscription, 'endpoint');
      const { origin, hostname } = parseTarget(url);
      const payload = payloadOf(request);
      const authorization = signatureOf(sender, origin);
      const body = encrypted(subscription, payload);
      const shown = { endpoint: origin, payload };
      if (body === undefined) {
        const message = 'The keys of the subscription are no valid keys; no browser made them.';
        return {
          events: [{ sid: 'hard_bounce', code: 'KEYS_INVALID', message }],
          request: shown,
          response: {},
        };
      }
      const topic = textOf(template, 'topic');
      const answer = await send(
        {
          method: 'POST',
          url,
          headers: {
            authorization,
            'content-encoding': ENCODING,
            'content-type': 'application/octet-stream',
            ttl: String(numberOf(template, 'ttl', DEFAULT_TTL_SECONDS)),
            urgency: textOf(template, 'urgency', 'normal'),
            ...(topic !== '' && { topic }),
          },
          body,
          timeoutMs: TIMEOUT_MS,
          maxResponseBytes: MAX_RESPONSE_BYTES,
          redirects: 0,
        },
        String(laneId),
      );
      const event = pushVerdict(answer, hostname, new Date(now()).toISOString());
      return {
        events: [event],
        request: shown,
        response: { status: answer.status, ...(event.message !== undefined && { body: event.message }) },
      };
    },
  });
}

/** What the service worker of the site gets as JSON. Throws VALUES_INVALID if it is too long. */
function payloadOf({ messageId, template }: ModuleRequest): string {
  const image = textOf(template, 'image');
  const url = textOf(template, 'deep_link');
  const { actions } = template;
  const payload = JSON.stringify({
    id: messageId,
    title: textOf(template, 'title'),
    body: textOf(template, 'body'),
    ...(image !== '' && { image }),
    ...(url !== '' && { url }),
    ...(Array.isArray(actions) && { actions }),
  });
  const bytes = Buffer.byteLength(payload);
  if (bytes <= MAX_PAYLOAD_BYTES) return payload;
  throw new Failure(
    'VALUES_INVALID',
    `The notification has ${bytes} bytes as JSON, and push services take ${MAX_PAYLOAD_BYTES}. Shorten its addresses or buttons.`,
  );
}

function sign(audience: string, contact: string, publicKey: string, privateKey: string): string {
  try {
    return webPush.getVapidHeaders(audience, contact, publicKey, privateKey, ENCODING).Authorization;
  } catch {
    throw new Failure(
      'AUTH_FAILED',
      'The VAPID keys of the sender are no valid keys. Make a pair, for example with "npx web-push generate-vapid-keys", and give both parts as they are printed.',
      { kind: 'auth' },
    );
  }
}

/** The payload for this browser alone; undefined if its keys are none. */
function encrypted(subscription: ModuleRequest['subscription'], payload: string): Buffer | undefined {
  const p256dh = textOf(subscription, 'p256dh').replace(/=+$/, '');
  const auth = textOf(subscription, 'auth').replace(/=+$/, '');
  try {
    return webPush.encrypt(p256dh, auth, payload, ENCODING).cipherText;
  } catch {
    return undefined;
  }
}
