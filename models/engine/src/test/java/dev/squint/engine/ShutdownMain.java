package dev.squint.engine;

/** A process that ends while questions are being answered. */
final class ShutdownMain {

  static final int STATUS = 7;

  private ShutdownMain() {}

  public static void main(String[] arguments) throws InterruptedException {
    VisionLanguageModel model = TinyLlava.open();
    for (int i = 0; i < 2; i++) {
      Thread busy =
          new Thread(
              () -> {
                while (true) {
                  model.generate(
                      TinyLlava.prompt(), TestStrategy.fastV(2, 5), TinyLlava.sixTokens());
                }
              });
      busy.setDaemon(true);
      busy.start();
    }
    Thread.sleep(300);
    System.exit(STATUS);
  }
}
