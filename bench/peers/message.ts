/** What everyone sends: one text of fifteen placeholders, and the values of each message. */

export const TEXT = [
  'Dear {{ customer.title }} {{ customer.name }}, thank you for your order {{ attributes.order }} of {{ attributes.date }}.',
  'We send {{ attributes.items }} items worth {{ attributes.amount }} {{ attributes.currency }} to {{ customer.street }},',
  '{{ customer.zip }} {{ customer.city }}, {{ customer.country }}. Your {{ customer.plan }} account now has',
  '{{ customer.points }} points. Your code is {{ attributes.code }}; follow the parcel at {{ attributes.link }}.',
].join(' ');

type Values = Readonly<Record<string, string | number>>;

/** What is known of whom a message goes to: we find it in a profile and its subscription. */
export interface Person {
  readonly phone: string;
  readonly customer: Values;
}

/** What a job carries where people are looked up. */
export interface Given {
  readonly number: number;
  readonly attributes: Values;
}

/** All that one message needs. */
export interface Message extends Given, Person {}

/** The values of message `number`. */
export function messageOf(number: number): Message {
  return {
    number,
    phone: `+4930${String(number).padStart(7, '0')}`,
    customer: {
      title: 'Dr.',
      name: `Person ${number}`,
      street: `Long Street ${number % 200}`,
      zip: String(10_000 + (number % 5_000)),
      city: 'Berlin',
      country: 'Germany',
      plan: number % 3 === 0 ? 'family' : 'single',
      points: number % 1_000,
    },
    attributes: {
      order: `A-${number}`,
      date: '2026-11-20',
      items: 1 + (number % 9),
      amount: (number % 500) + 0.5,
      currency: 'EUR',
      code: 100_000 + number,
      link: `https://parcel.example/${number}`,
    },
  };
}

/** Compiles a text to a function, so that a message costs a peer no parsing: its own rendering is never what slows it. */
export function compileText(text: string): (message: Message) => string {
  const parts = text.split(/\{\{ (customer|attributes)\.(\w+) \}\}/);
  return (message) => {
    let rendered = parts[0] ?? '';
    for (let at = 1; at < parts.length; at += 3) {
      const values = parts[at] === 'customer' ? message.customer : message.attributes;
      rendered += `${values[parts[at + 1] ?? '']}${parts[at + 2]}`;
    }
    return rendered;
  };
}
