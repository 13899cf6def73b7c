package dev.squint.evaluation.data;

/** What kind of answer a data set asks for; it decides the metric. */
public enum Task {
  /** One right answer: easy-VQA, GQA, plain files. */
  SHORT_ANSWER,
  /** AccuracyPass of several annotators who may disagree: VQAv2, TextVQA. */
  VQA,
  /** Yes or no about an object: POPE. */
  YES_NO,
  /** The letter of a choice: ScienceQA and the TSV files of VLMEvalKit. */
  MULTIPLE_CHOICE,
  /** A sentence, with several right ones to compare with: COCO captions. */
  CAPTION
}
