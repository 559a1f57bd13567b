/** An email as it goes over the wire, from the values of its fields. */
import { domainToASCII } from 'node:url';
import MailComposer from 'nodemailer/lib/mail-composer';
import type { ModuleRequest } from '../pipes/contract.ts';
import { textOf } from './module-values.ts';
import type { Envelope } from './smtp-connection.ts';

export interface Attachment {
  readonly filename: string;
  readonly contentType: string | undefined;
  readonly content: Buffer;
}

export interface Email {
  readonly envelope: Envelope;
  readonly messageId: string;
  readonly bytes: Buffer;
}

/** Builds the message. Nothing in it makes the library read a file or an address of its own. */
export async function composeEmail(
  request: ModuleRequest,
  attachments: readonly Attachment[],
  date: Date,
): Promise<Email> {
  const { sender, resource, subscription, template } = request;
  const from = plainAddress(textOf(sender, 'from_address'));
  const to = plainAddress(textOf(subscription, 'email'));
  const messageId = `<${request.messageId}@${from.slice(from.lastIndexOf('@') + 1)}>`;
  const fromName = textOf(template, 'from_name') || textOf(sender, 'from_name');
  const replyTo = textOf(template, 'reply_to') || textOf(resource, 'reply_to');
  const text = textOf(template, 'text');
  const unsubscribe = textOf(resource, 'unsubscribe_url').replaceAll(
    '{id}',
    encodeURIComponent(request.messageId),
  );
  const composer = new MailComposer({
    from: { name: fromName, address: from },
    to: { name: '', address: to },
    ...(replyTo !== '' && { replyTo: { name: '', address: plainAddress(replyTo) } }),
    subject: textOf(template, 'subject'),
    html: withPreheader(textOf(template, 'html'), textOf(template, 'preheader')),
    ...(text !== '' && { text }),
    attachments: attachments.map((each) => ({ ...each })),
    messageId,
    date,
    headers: unsubscribe === '' ? {} : unsubscribeHeaders(unsubscribe),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return { envelope: { from, to }, messageId, bytes: await composer.compile().build() };
}

/** One click is enough where the address is https (RFC 8058). */
function unsubscribeHeaders(url: string): Record<string, { prepared: true; value: string } | string> {
  const header = { prepared: true as const, value: `<${url.replace(/[\s<>]/g, encodeURIComponent)}>` };
  if (!url.startsWith('https://')) return { 'List-Unsubscribe': header };
  return { 'List-Unsubscribe': header, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' };
}

/** The address with its domain as mail servers write it. */
function plainAddress(address: string): string {
  const at = address.lastIndexOf('@');
  const domain = domainToASCII(address.slice(at + 1));
  return domain === '' ? address : `${address.slice(0, at)}@${domain}`;
}

/** The preheader stands first in the body, where programs look for it, and is not seen there. */
function withPreheader(html: string, preheader: string): string {
  if (preheader === '') return html;
  const escaped = preheader.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
  const hidden = `<div style="display:none;max-height:0;overflow:hidden">${escaped}</div>`;
  const body = /<body\b[^>]*>/i.exec(html);
  if (body === null) return hidden + html;
  const place = body.index + body[0].length;
  return html.slice(0, place) + hidden + html.slice(place);
}
