// A trained vocabulary as the files of a tokenizer folder: what `Qwen2Tokenizer` of Hugging Face
// transformers 5.23.0 and our own load.

/// Tokens and merges, to be written.
public struct TrainedVocabulary: Sendable, Equatable {
    /// Two tokens that follow each other and become one.
    public struct Merge: Sendable, Equatable {
        public let left: Int32
        public let right: Int32
    }

    /// The special tokens, which take the ids after `tokens`.
    public static let specialTokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    /// The most ids of a prompt that the configuration states.
    public static let maximumTokenCount = 512

    /// The bytes of each token, by id.
    public let tokens: [[UInt8]]
    /// The merges, the first learnt first.
    public let merges: [Merge]

    /// The number of ids, special tokens included.
    public var size: Int { tokens.count + Self.specialTokens.count }

    /// The files of a tokenizer folder: their names and contents. With the last one written the
    /// folder is complete.
    public var files: [(name: String, text: String)] {
        [
            ("tokenizer_config.json", Self.configurationFile),
            ("chat_template.jinja", Self.chatTemplate),
            ("tokenizer.json", tokenizerFile),
        ]
    }

    /// A token as the byte-level alphabet spells it, as a JSON string.
    private static func spelled(_ token: [UInt8]) -> String {
        var text = String.UnicodeScalarView()
        text.append("\"")
        for byte in token {
            let scalar = Unicode.Scalar(ByteAlphabet.scalars[Int(byte)]) ?? "?"
            if scalar == "\"" || scalar == "\\" { text.append("\\") }
            text.append(scalar)
        }
        text.append("\"")
        return String(text)
    }

    private var tokenizerFile: String {
        let spellings = tokens.map(Self.spelled)
        let added = Self.specialTokens.enumerated().map { index, token in
            Self.addedToken.replacing("ID", with: "\(tokens.count + index)")
                .replacing("TOKEN", with: token)
        }
        let vocabulary = spellings.enumerated().map { "      \($1): \($0)" }
        let pairs = merges.map {
            "      [\n        \(spellings[Int($0.left)]),\n"
                + "        \(spellings[Int($0.right)])\n      ]"
        }
        return Self.document
            .replacing("ADDED", with: added.joined(separator: ",\n"))
            .replacing("PATTERN", with: QwenPreTokenizer.pattern.replacing("\\", with: "\\\\"))
            + " " + Self.list("{", vocabulary, "}") + ",\n    \"merges\": "
            + Self.list("[", pairs, "]") + "\n  }\n}"
    }

    private static func list(_ open: String, _ items: [String], _ close: String) -> String {
        items.isEmpty ? open + close : "\(open)\n\(items.joined(separator: ",\n"))\n    \(close)"
    }
}

// MARK: What does not depend on the training

extension TrainedVocabulary {
    private static let addedToken = """
            {
              "id": ID,
              "content": "TOKEN",
              "single_word": false,
              "lstrip": false,
              "rstrip": false,
              "normalized": false,
              "special": true
            }
        """

    /// tokenizer.json up to the vocabulary.
    private static let document = """
        {
          "version": "1.0",
          "truncation": null,
          "padding": null,
          "added_tokens": [
        ADDED
          ],
          "normalizer": {
            "type": "NFC"
          },
          "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
              {
                "type": "Split",
                "pattern": {
                  "Regex": "PATTERN"
                },
                "behavior": "Isolated",
                "invert": false
              },
              {
                "type": "ByteLevel",
                "add_prefix_space": false,
                "trim_offsets": true,
                "use_regex": false
              }
            ]
          },
          "post_processor": {
            "type": "TemplateProcessing",
            "single": [
              {
                "Sequence": {
                  "id": "A",
                  "type_id": 0
                }
              }
            ],
            "pair": [
              {
                "Sequence": {
                  "id": "A",
                  "type_id": 0
                }
              },
              {
                "Sequence": {
                  "id": "B",
                  "type_id": 1
                }
              }
            ],
            "special_tokens": {}
          },
          "decoder": {
            "type": "ByteLevel",
            "add_prefix_space": true,
            "trim_offsets": true,
            "use_regex": true
          },
          "model": {
            "type": "BPE",
            "dropout": null,
            "unk_token": null,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": false,
            "byte_fallback": false,
            "ignore_merges": false,
            "vocab":
        """

    private static let configurationFile = """
        {
          "add_prefix_space": null,
          "backend": "tokenizers",
          "bos_token": null,
          "eos_token": "<|im_end|>",
          "is_local": true,
          "local_files_only": false,
          "model_max_length": \(maximumTokenCount),
          "pad_token": "<|endoftext|>",
          "tokenizer_class": "Qwen2Tokenizer",
          "unk_token": "<|endoftext|>"
        }

        """

    /// Source: the chat template of Qwen3, without tools and thinking.
    private static let chatTemplate = """
        {% for message in messages %}<|im_start|>{{ message['role'] }}
        {{ message['content'] }}<|im_end|>
        {% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
        {% endif %}
        """
}
