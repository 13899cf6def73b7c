package dev.squint.evaluation.data;

import dev.squint.Squint;
import java.util.List;
import java.util.Locale;

/**
 * How the questions of a data set are put: as they stand, or with the sentences after them that
 * models are scored with elsewhere. A model that answers "The bus is red." to a bare question gets
 * no exact match; asked for a single word or phrase it says "red".
 */
public sealed interface PromptStyle {

  /** Values of the option that name a style rather than being one. */
  String AUTO = "auto";

  String NONE = "none";

  /** Questions as the data set has them; choices are listed all the same. */
  record Bare() implements PromptStyle {

    @Override
    public String put(Sample sample, Task task) {
      return sample.question();
    }

    @Override
    public String sentence(Task task) {
      return "";
    }
  }

  /**
   * The prompts of lmms-eval, which are those of LLaVA-1.5's evaluation: a single word or phrase
   * for VQAv2, GQA, TextVQA, POPE and the like, the letter of a choice for ScienceQA and
   * VLMEvalKit's files, one sentence for captions.
   */
  record LmmsEval() implements PromptStyle {

    @Override
    public String put(Sample sample, Task task) {
      if (task == Task.CAPTION) {
        boolean ours = sample.question().equals(Squint.CAPTION_PROMPT);
        return ours ? sentence(task) : sample.question();
      }
      return sample.question() + "\n" + sentence(task);
    }

    @Override
    public String sentence(Task task) {
      return switch (task) {
        case SHORT_ANSWER, VQA, YES_NO -> "Answer the question using a single word or phrase.";
        case MULTIPLE_CHOICE -> "Answer with the option's letter from the given choices directly.";
        case CAPTION -> "Provide a one-sentence caption for the provided image.";
      };
    }
  }

  /**
   * A sentence of the user's own after each question.
   *
   * @param sentence it
   */
  record Own(String sentence) implements PromptStyle {

    @Override
    public String put(Sample sample, Task task) {
      return sample.question() + "\n" + sentence;
    }

    @Override
    public String sentence(Task task) {
      return sentence;
    }
  }

  /**
   * The style that an option names.
   *
   * @param option {@code auto}, {@code none}, or a sentence
   * @param bare whether {@code auto} means bare questions: for the embedded model, which has seen
   *     no others
   */
  static PromptStyle parse(String option, boolean bare) {
    return switch (option.strip().toLowerCase(Locale.ROOT)) {
      case AUTO -> bare ? new Bare() : new LmmsEval();
      case NONE, "" -> new Bare();
      default -> new Own(option.strip());
    };
  }

  /** What the model is asked. */
  String put(Sample sample, Task task);

  /**
   * What stands after each question, in captioning in its place.
   *
   * @return a sentence; empty if there is none
   */
  String sentence(Task task);

  /** The data set with its questions put this way; it stays the same set, with the same hash. */
  default DataSet applied(DataSet set) {
    List<Sample> put =
        set.samples().stream()
            .map(
                sample ->
                    new Sample(
                        sample.id(),
                        sample.medium(),
                        put(sample, set.task()),
                        sample.answers(),
                        sample.choices(),
                        sample.type()))
            .toList();
    return new DataSet(set.name(), set.format(), set.task(), put, set.skipped(), set.hash());
  }
}
