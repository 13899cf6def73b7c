package dev.squint.chat;

/** Who says something in a chat. */
public enum Role {
  /** Who runs the service: how to answer. */
  SYSTEM("system", "system message"),
  /** Who asks. */
  USER("user", "question"),
  /** The model. */
  ASSISTANT("assistant", "answer");

  private final String inTemplates;
  private final String said;

  Role(String inTemplates, String said) {
    this.inTemplates = inTemplates;
    this.said = said;
  }

  /** What templates call it. */
  String inTemplates() {
    return inTemplates;
  }

  /** What it says, for sentences. */
  public String said() {
    return said;
  }
}
