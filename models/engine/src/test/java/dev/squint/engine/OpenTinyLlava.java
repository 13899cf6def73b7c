package dev.squint.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** The fixture, open for all tests of a class; after each of them nothing native may be open. */
public final class OpenTinyLlava implements BeforeAllCallback, AfterEachCallback, AfterAllCallback {

  private VisionLanguageModel model;

  public VisionLanguageModel model() {
    return model;
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    model = TinyLlava.open();
  }

  @Override
  public void afterEach(ExtensionContext context) {
    assertThat(model.openTensors()).isZero();
  }

  @Override
  public void afterAll(ExtensionContext context) {
    model.close();
  }
}
