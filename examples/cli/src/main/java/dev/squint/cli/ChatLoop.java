package dev.squint.cli;

import dev.squint.ChatMessage;
import dev.squint.ChatResponse;
import dev.squint.Conversation;
import dev.squint.ConversationOptions;
import dev.squint.Squint;
import dev.squint.engine.request.FinishReason;
import dev.squint.error.SquintException;
import dev.squint.image.ImageInput;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine;

/** A conversation whose questions are the lines of standard input. */
final class ChatLoop {

  private static final String QUIT = "/quit";

  private final CommandLine line;
  private final Squint squint;
  private final ConversationOptions options;
  private final boolean json;
  private int code;

  ChatLoop(CommandLine line, Squint squint, ConversationOptions options, boolean json) {
    this.line = line;
    this.squint = squint;
    this.options = options;
    this.json = json;
  }

  /**
   * Converses to the end of the input.
   *
   * @param images shown with the first question
   * @param first asked before the input is read
   * @return 0, or the exit code of the last question that could not be answered
   */
  int run(List<ImageInput> images, Optional<String> first) {
    List<ImageInput> unseen = images;
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in, charset()));
    try (Conversation talk = squint.conversation(options)) {
      for (String question = first.orElseGet(() -> next(input));
          question != null && !question.strip().equals(QUIT) && !line.getOut().checkError();
          question = next(input)) {
        if (!question.isBlank() && answered(talk, ChatMessage.user(unseen, question))) {
          unseen = List.of();
        }
      }
    }
    return code;
  }

  private static Charset charset() {
    String named = System.getProperty("stdin.encoding", System.getProperty("native.encoding"));
    return named == null ? Charset.defaultCharset() : Charset.forName(named);
  }

  private String next(BufferedReader input) {
    if (SquintCommand.isTerminal()) {
      line.getErr().print("> ");
      line.getErr().flush();
    }
    try {
      return input.readLine();
    } catch (IOException e) {
      throw new UncheckedIOException("standard input cannot be read; check where it comes from", e);
    }
  }

  /** Whether the question became part of the conversation. */
  private boolean answered(Conversation talk, ChatMessage question) {
    PrintWriter out = line.getOut();
    try {
      ChatResponse response = talk.send(question, piece -> print(out, piece));
      if (json) {
        out.print(JsonReport.of(response, squint.provider(), squint.facts().decoder()));
      } else {
        out.println();
      }
      out.flush();
      if (response.finish() == FinishReason.DEADLINE) {
        code = SquintCommand.TRY_AGAIN;
        return false;
      }
      return true;
    } catch (SquintException e) {
      code = SquintCommand.report(line, e);
      return false;
    }
  }

  private void print(PrintWriter out, String piece) {
    if (!json) {
      out.print(piece);
      out.flush();
    }
  }
}
