package dev.squint.evaluation;

import dev.squint.DataException;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.Function;

/**
 * A setting that cannot be used, or that helps. Its message names settings in plain words; {@link
 * #message(Function)} names them as a caller's users know them.
 */
public final class SettingException extends DataException {

  private static final long serialVersionUID = 1L;

  private final String sentence;
  private final transient Object[] values;

  /**
   * A sentence.
   *
   * @param sentence a format string
   * @param values its values, {@link Setting settings} among them
   */
  public SettingException(String sentence, Object... values) {
    this(null, sentence, values);
  }

  /**
   * A sentence with what led to it.
   *
   * @param cause what was thrown
   * @param sentence a format string
   * @param values its values, {@link Setting settings} among them
   */
  public SettingException(Throwable cause, String sentence, Object... values) {
    super(String.format(Locale.ROOT, sentence, values), cause);
    this.sentence = sentence;
    this.values = values.clone();
  }

  /**
   * The message with other names for the settings.
   *
   * @param name names a setting, such as {@code --limit}
   */
  public String message(Function<Setting, String> name) {
    if (values == null) {
      return getMessage();
    }
    Object[] named =
        Arrays.stream(values)
            .map(value -> value instanceof Setting setting ? name.apply(setting) : value)
            .toArray();
    return String.format(Locale.ROOT, sentence, named);
  }
}
