/*
 * What one virtual user does: Artillery creates it, and these functions choose its next request, its pause and the
 * moment it leaves. They name themselves in artillery-config.yml and artillery-config-light.yml.
 */
import { randomInt, randomUUID } from 'node:crypto';

// Ten requests at a time in random order, so that every user keeps the mix that the specification asks for.
const MIX = { generate: 5, status: 3, enhance: 1, gallery: 1 };
const EXPECTED = { generate: 202, status: 200, enhance: 200, gallery: 200 };
const STEPS = { least: 25, most: 50 };
const GUIDANCE = { least: 5, most: 10 };
// Multiples of it, without the whole part, spread evenly however many there are.
const GOLDEN_RATIO = 0.618034;

// The process that judges this load. Once it is gone, killed perhaps, the load would only cost money.
const owner = Number(process.env.LOADTEST_OWNER ?? 0);
const OWNER_EVERY_MS = 1000;

let begun;
let users = 0;

if (owner) setInterval(() => lives(owner) || process.kill(process.pid), OWNER_EVERY_MS).unref();

/** Prepare a user: when it leaves. Those who came together leave one by one during the cool-down. */
export function arrive(context, _events, next) {
  begun ??= Date.now();
  const { stay_seconds: stay, leave_seconds: leave } = context.vars;
  users += 1;
  context.vars.leavesAt = begun + 1000 * (stay + leave * ((users * GOLDEN_RATIO) % 1));
  context.vars.deck = [];
  return next();
}

/** Choose the next request and everything that differs from one to the next. */
export function choose(context, _events, next) {
  const user = context.vars;
  if (!user.deck.length) user.deck = shuffled(Object.entries(MIX).flatMap(([name, times]) => Array(times).fill(name)));
  // A status is of a job of one's own; who has none yet asks for one first.
  const wanted = user.deck[0] === 'status' && !user.jobId ? 'generate' : user.deck[0];
  user.deck.splice(Math.max(0, user.deck.indexOf(wanted)), 1);
  user.step = wanted;
  user.correlationId = `load-${randomUUID()}`;
  user.prompt = user.prompts[randomInt(user.prompts.length)].prompt;
  user.steps = between(STEPS);
  user.guidance = between(GUIDANCE);
  return next();
}

/** Note the job, and count what Artillery's own counters cannot tell apart. */
export function answered(request, response, context, events, next) {
  const { step } = context.vars;
  const answer = parsed(response.body);
  if (step === 'generate' && answer.jobId) context.vars.jobId = answer.jobId;
  const { statusCode: status } = response;
  events.emit('counter', `answers.${status === EXPECTED[step] ? 'expected' : 'other'}`, 1);
  // API Gateway refuses by {"message": ...}, the application by {"error": {"code": ...}}.
  if (status >= 400) events.emit('counter', `refusals.${answer.error ? 'application' : 'gateway'}.${status}`, 1);
  return next();
}

/** Choose how long to think: half to one and a half times the mean, and no longer than one stays. */
export function pause(context, _events, next) {
  const { think_seconds: think, leavesAt } = context.vars;
  const chosen = think * 1000 * (0.5 + Math.random());
  context.vars.pause = `${Math.round(Math.max(1, Math.min(chosen, leavesAt - Date.now())))}ms`;
  return next();
}

/** Tell Artillery's loop whether to go on. */
export function stays(context, next) {
  return next(Date.now() < context.vars.leavesAt);
}

function lives(process_id) {
  try {
    return process.kill(process_id, 0);
  } catch (problem) {
    return problem.code !== 'ESRCH';
  }
}

function between({ least, most }) {
  return randomInt(least, most + 1);
}

function shuffled(cards) {
  for (let last = cards.length - 1; last > 0; last -= 1) {
    const other = randomInt(last + 1);
    [cards[last], cards[other]] = [cards[other], cards[last]];
  }
  return cards;
}

function parsed(body) {
  try {
    return JSON.parse(body) ?? {};
  } catch {
    return {};
  }
}
