namespace LiT.Mpi;

/// <summary>
/// The processes of a job have lost each other: one has ended, hangs, or cannot be reached. The same job started again
/// goes on where its last checkpoint is.
/// </summary>
/// <param name="message">What was lost, in words.</param>
public sealed class MpiException(string message) : LitException(message);
