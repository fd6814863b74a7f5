"""OpenAI's shapes over the tasks of Workers AI: requests → inputs, answers → answers.

Pure: nothing here computes, waits or sends.
"""
