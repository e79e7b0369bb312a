namespace Reelbase.Server.Platform.Errors;

/// <summary>How errors are written under one prefix, where clients of another system expect theirs. Logging and recording stay as everywhere.</summary>
public interface IErrorShape
{
    /// <summary>The paths that it is for.</summary>
    string Prefix { get; }

    /// <summary>Status and body of an error; headers are set on the way.</summary>
    (int Status, object Body) Describe(HttpContext context, ApiException error);
}
