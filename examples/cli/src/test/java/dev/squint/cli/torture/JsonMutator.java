package dev.squint.cli.torture;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/** Changes what a JSON file says, or how it says it. */
final class JsonMutator {

  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
  private static final List<String> RAW =
      List.of(
          "1e999",
          "-1e999",
          "NaN",
          "Infinity",
          "99999999999999999999999",
          "4294967297",
          "0x10",
          "1e-999",
          "-0",
          "1.0000000000000000000000001",
          "\"\\u0000\"",
          "\"\\ud800\"",
          "'x'",
          "",
          "{",
          "nul");
  private static final String MARK = "\"@raw@\"";
  private static final int DEEP = 60_000;
  private static final int LONG = 2_000_000;

  private final RandomGenerator random;
  private final ByteMutator bytes;
  private final ObjectMapper mapper = new ObjectMapper();

  JsonMutator(RandomGenerator random) {
    this.random = random;
    this.bytes = new ByteMutator(random);
  }

  byte[] mutate(byte[] json) {
    try {
      JsonNode root = mapper.readTree(json);
      int rounds = 1 + random.nextInt(4);
      for (int i = 0; i < rounds; i++) {
        root = once(root);
      }
      String text = text(mapper.writeValueAsString(root));
      byte[] changed =
          text.getBytes(random.nextInt(30) == 0 ? StandardCharsets.UTF_16 : StandardCharsets.UTF_8);
      return random.nextInt(8) == 0 ? bytes.mutate(changed) : changed;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Changes that no tree can hold. */
  private String text(String json) {
    String changed = json;
    while (changed.contains(MARK)) {
      changed =
          changed.replaceFirst(MARK, RAW.get(random.nextInt(RAW.size())).replace("\\", "\\\\"));
    }
    return switch (random.nextInt(40)) {
      case 0 -> "\ufeff" + changed;
      case 1 -> changed + changed;
      case 2 -> "[".repeat(DEEP) + changed;
      case 3 -> changed.replaceFirst("\\{", "{\"x\":" + "[".repeat(DEEP) + "]".repeat(DEEP) + ",");
      case 4 -> changed.replaceFirst("\\{", "{" + "\"a\":1,".repeat(LONG / 20));
      case 5 -> changed.replaceFirst("\\{", "{\"" + "n".repeat(LONG) + "\":1,");
      case 6 -> changed.replaceFirst("\\{", "{\"s\":\"" + "s".repeat(LONG) + "\",");
      case 7 -> changed.replaceFirst("\\{", "{\"d\":" + "9".repeat(LONG / 10) + ",");
      case 8 -> " ".repeat(LONG) + changed;
      case 9 -> changed.replaceFirst("\\{", "{\"v\":[" + "1,".repeat(LONG) + "1],");
      default -> changed;
    };
  }

  private record Place(JsonNode parent, String field, int index) {}

  private static void places(JsonNode node, List<Place> found) {
    if (node instanceof ObjectNode object) {
      object
          .fieldNames()
          .forEachRemaining(
              name -> {
                found.add(new Place(object, name, -1));
                places(object.get(name), found);
              });
    } else if (node instanceof ArrayNode array) {
      for (int i = 0; i < array.size(); i++) {
        found.add(new Place(array, null, i));
        places(array.get(i), found);
      }
    }
  }

  private JsonNode once(JsonNode root) {
    List<Place> all = new ArrayList<>();
    places(root, all);
    if (all.isEmpty() || random.nextInt(60) == 0) {
      return value(root);
    }
    Place place = all.get(random.nextInt(all.size()));
    if (place.parent() instanceof ObjectNode object) {
      JsonNode old = object.get(place.field());
      switch (random.nextInt(6)) {
        case 0 -> object.remove(place.field());
        case 1 -> {
          object.remove(place.field());
          object.set(key(), old);
        }
        case 2 -> object.set(key(), value(old));
        default -> object.set(place.field(), value(old));
      }
    } else if (place.parent() instanceof ArrayNode array) {
      JsonNode old = array.get(place.index());
      switch (random.nextInt(5)) {
        case 0 -> array.remove(place.index());
        case 1 -> array.add(old);
        case 2 -> array.insert(random.nextInt(array.size()), value(old));
        default -> array.set(place.index(), value(old));
      }
    }
    return root;
  }

  private String key() {
    String[] keys = {
      "", "type", "\u0000", "a/../../b", "model_type", "text_config", "x".repeat(300), "__proto__"
    };
    return keys[random.nextInt(keys.length)];
  }

  private JsonNode value(JsonNode old) {
    return switch (random.nextInt(15)) {
      case 0 -> NODES.nullNode();
      case 1 -> NODES.booleanNode(random.nextBoolean());
      case 2 -> NODES.numberNode(0);
      case 3, 4 -> NODES.numberNode(bytes.number());
      case 5 -> NODES.numberNode(random.nextLong());
      case 6 -> NODES.numberNode(random.nextDouble() * 1e3 - 500);
      case 7 -> NODES.numberNode(BigInteger.TWO.pow(random.nextInt(200)));
      case 8 -> NODES.textNode("");
      case 9 -> NODES.textNode("\u0000../" + random.nextInt());
      case 10 -> NODES.arrayNode().add(old).add(bytes.number());
      case 11 -> NODES.objectNode().set("x", old);
      case 12 -> NODES.arrayNode();
      case 13 -> NODES.objectNode();
      default -> NODES.textNode("@raw@");
    };
  }
}
