package dev.squint.adapters;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * Questions about pictures with the answers that are right.
 *
 * <p>Read from a folder that holds {@code images/N.png} and {@code questions.json}, rows of
 * question, answer, picture number and, if known, the type of question: the layout of easy-VQA and
 * of {@code models/training/scenes.py}.
 *
 * @param questions at least one
 */
public record QuestionSet(List<Question> questions) {

  private static final String ROWS = "questions.json";
  private static final String LAYOUT =
      "give a folder with images/N.png and questions.json, rows of [question, answer, N] as easy-VQA has them";

  public QuestionSet {
    questions = List.copyOf(questions);
  }

  /**
   * One question.
   *
   * @param text what is asked
   * @param answer what is right
   * @param image the picture's file
   */
  public record Question(String text, String answer, Path image) {

    /** Whether an answer is right: the same text but for case, outer space and a full stop. */
    public boolean isAnsweredBy(String given) {
      return bare(given).equals(bare(answer));
    }

    private static String bare(String text) {
      return text.strip().toLowerCase(Locale.ROOT).replaceFirst("\\s*\\.$", "");
    }
  }

  /**
   * Reads a folder.
   *
   * @param folder where it lies
   * @return its questions, in order
   * @throws DataException if it cannot be read or its layout is not known
   */
  public static QuestionSet read(Path folder) {
    Path file = folder.resolve(ROWS);
    if (!Files.isRegularFile(file)) {
      throw new DataException("%s holds no %s; %s".formatted(folder, ROWS, LAYOUT));
    }
    JsonNode rows;
    try {
      rows = new ObjectMapper().readTree(file.toFile());
    } catch (IOException e) {
      throw new DataException("%s is not valid JSON; %s".formatted(file, LAYOUT), e);
    }
    if (!rows.isArray() || rows.isEmpty()) {
      throw new DataException("%s holds no rows of questions; %s".formatted(file, LAYOUT));
    }
    List<Question> questions = new ArrayList<>();
    for (JsonNode row : rows) {
      if (!isQuestion(row)) {
        throw new DataException(
            "row %d of %s is no question; %s".formatted(questions.size() + 1, file, LAYOUT));
      }
      Path image = folder.resolve("images").resolve(row.get(2).asLong() + ".png");
      questions.add(new Question(row.get(0).asText(), row.get(1).asText(), image));
    }
    return new QuestionSet(questions);
  }

  private static boolean isQuestion(JsonNode row) {
    return row.isArray()
        && row.size() >= 3
        && row.size() <= 4
        && row.get(0).isTextual()
        && !row.get(0).asText().isBlank()
        && row.get(1).isTextual()
        && row.get(2).isIntegralNumber();
  }

  /**
   * Draws some of the questions.
   *
   * @param limit how many at most
   * @param seed what the draw starts from
   * @return the drawn ones, in the order of the draw
   * @throws DataException if a picture of theirs is missing
   */
  public QuestionSet drawn(int limit, long seed) {
    List<Question> drawn = new ArrayList<>(questions);
    Collections.shuffle(drawn, new Random(seed));
    drawn = drawn.subList(0, Math.min(limit, drawn.size()));
    for (Question question : drawn) {
      if (!Files.isRegularFile(question.image())) {
        throw new DataException("no such picture: %s; %s".formatted(question.image(), LAYOUT));
      }
    }
    return new QuestionSet(drawn);
  }
}
