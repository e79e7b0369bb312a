using System.Text.Json.Nodes;

namespace Reelbase.Server.Platform.Http;

/// <summary>What the server adds to an operation's answer because the database cannot know it. Nothing outside is asked for it.</summary>
public interface IOperationCompletion
{
    /// <summary>The name of the operation.</summary>
    string Operation { get; }

    /// <summary>Adds to the answer.</summary>
    void Complete(JsonObject answer);
}
