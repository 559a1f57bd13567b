/** All content types: the one place that knows each of them. */
import { banner } from './banner.ts';
import { contentCard } from './content-card.ts';
import type { ChannelType, ContentType } from './contract.ts';
import { emailHtml } from './email-html.ts';
import { inAppModal } from './in-app-modal.ts';
import { pushNotification } from './push-notification.ts';
import { smsText } from './sms-text.ts';
import { webhookJson } from './webhook-json.ts';
import { whatsappTemplate } from './whatsapp-template.ts';

export const CONTENT_TYPES: Readonly<Record<ChannelType, ContentType>> = Object.freeze({
  email_html: emailHtml,
  push_notification: pushNotification,
  sms_text: smsText,
  in_app_modal: inAppModal,
  banner,
  content_card: contentCard,
  whatsapp_template: whatsappTemplate,
  webhook_json: webhookJson,
});
