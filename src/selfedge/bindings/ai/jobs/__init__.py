"""What the model host can be asked, and what it answers; one file for each task.

Jobs and parts cross from the service to the model host as MessagePack, so they are
tagged structs of plain values; files go as `bytes`. Each tag stands once.
"""

from typing import TypeAlias

from selfedge.bindings.ai.jobs.documents import ConvertDocuments, Converted
from selfedge.bindings.ai.jobs.pictures import (
    ClassifyPicture,
    DetectObjects,
    Drawn,
    DrawPicture,
    Labels,
    Objects,
)
from selfedge.bindings.ai.jobs.rewriting import RewriteText, Rewritten
from selfedge.bindings.ai.jobs.speech_recognition import TranscribeAudio, Transcript
from selfedge.bindings.ai.jobs.speech_synthesis import SpeakText, Speech
from selfedge.bindings.ai.jobs.text_embeddings import EmbedTexts, Vectors
from selfedge.bindings.ai.jobs.text_generation import (
    GenerateText,
    Text,
    ToolCall,
    Usage,
)
from selfedge.bindings.ai.jobs.text_scores import Scores, ScoreTexts

Job: TypeAlias = (
    ClassifyPicture
    | ConvertDocuments
    | DetectObjects
    | DrawPicture
    | EmbedTexts
    | GenerateText
    | RewriteText
    | ScoreTexts
    | SpeakText
    | TranscribeAudio
)
"""One line for each kind of work."""

Part: TypeAlias = (
    Converted
    | Drawn
    | Labels
    | Objects
    | Rewritten
    | Scores
    | Speech
    | Text
    | ToolCall
    | Transcript
    | Usage
    | Vectors
)
"""One line for each piece that an answer can have."""
