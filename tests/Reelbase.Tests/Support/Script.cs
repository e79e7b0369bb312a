using System.Diagnostics;

namespace Reelbase.Tests.Support;

/// <summary>Programs that a test writes and runs.</summary>
public static class Script
{
    /// <summary>
    /// Writes an executable file by a process of its own. While this process had it open for writing, a child that another test starts at that moment would inherit
    /// the open file, and nobody could run it until that child is a program of its own ("text file busy").
    /// </summary>
    public static async Task WriteAsync(string path, string text)
    {
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true };
        foreach (var argument in (string[])["-c", "cat > \"$1\" && chmod 700 \"$1\"", "sh", path])
        {
            start.ArgumentList.Add(argument);
        }
        using var writer = Process.Start(start)!;
        await writer.StandardInput.WriteAsync(text);
        writer.StandardInput.Close();
        await writer.WaitForExitAsync();
        Assert.Equal(0, writer.ExitCode);
    }
}
