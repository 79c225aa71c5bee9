const SUBJECTS = [
  'a lighthouse made of stained glass',
  'a fox reading the morning paper in a tiled kitchen',
  'a plant that grows lightbulbs',
  'a night train crossing a sea of clouds',
  'an astronaut tending a rooftop garden',
  'a library inside a hollow oak',
  'a whale swimming between skyscrapers',
  'a clockmaker repairing the moon',
  'two robots playing chess in the rain',
  'a market street on a floating island',
  'an owl wearing a knitted scarf',
  'a teapot pouring a waterfall',
];
const LIGHTS = ['in storm light', 'at golden hour', 'under neon signs', 'in soft morning fog', 'by candlelight', 'under a starry sky'];
const STYLES = [
  'oil painting with thick brush strokes',
  'botanical plate, ink and wash',
  '35 mm photograph',
  'linocut in three colours',
  'isometric miniature, tilt shift',
  'watercolour on rough paper',
  'art deco poster',
  'claymation still',
];

/** A prompt to begin with; never the one that stands there already. */
export function randomPrompt(present: string, random: () => number = Math.random): string {
  const pick = (choices: readonly string[]): string => choices[Math.floor(random() * choices.length)] ?? '';
  for (;;) {
    const words = `${pick(SUBJECTS)} ${pick(LIGHTS)}, ${pick(STYLES)}`;
    const prompt = words.charAt(0).toUpperCase() + words.slice(1);
    if (prompt !== present) {
      return prompt;
    }
  }
}
