$nyquist plug-in
$version 4
$type tool analyze
$debugbutton false
$name "Separate Stems"
$author "Stemdock"
$copyright "MIT licence"
$control chosenmodel (_ "Model") choice (@models@) 0
$control chosenstems (_ "Stems") choice (@stems@) 0
$control chosenrest (_ "Everything else") choice (("No" (_ "No")) ("OneMoreTrack" (_ "As one more track"))) 0
$control chosenoriginal (_ "Original track") choice (("Leave" (_ "Leave as it is")) ("Mute" (_ "Mute"))) 1

(setf stemdock-inbox "@folder@inbox/")
(setf stemdock-preference "FileFormats/ExternalProgramExportCommand")

;;@capture@

(defun stemdock-read-line (name)
  (let ((file (open (strcat stemdock-inbox name))) line)
    (cond (file (setf line (read-line file)) (close file)))
    line))

;; Escapes a text for the quotes of a command.
(defun stemdock-escape (text)
  (let ((escaped ""))
    (dotimes (i (length text))
      (let ((character (subseq text i (1+ i))))
        (if (or (string= character "\\") (string= character "\""))
            (setf escaped (strcat escaped "\\")))
        (setf escaped (strcat escaped character))))
    escaped))

;; The user's export command; Audacity's default if the user has never set one.
(defun stemdock-get-preference ()
  (let ((answer (aud-do (strcat "GetPreference: Name=" stemdock-preference))))
    (if (cdr answer) (car answer) "lame - \"%f\"")))

(defun stemdock-set-preference (value)
  (aud-do (strcat "SetPreference: Name=" stemdock-preference
                  " Value=\"" (stemdock-escape value) "\"")))

;; Saves the user's export command from Audacity and from the settings file: the first lacks characters
;; outside ASCII, the second may be missing.
(defun stemdock-note-preference ()
  (let ((file (open "@settings@")) (disk ""))
    (cond (file
      (do ((line (read-line file) (read-line file))) ((null line))
        (if (and (> (length line) 29) (string= (subseq line 0 29) "ExternalProgramExportCommand="))
            (setf disk (subseq line 29))))
      (close file)))
    (setf stemdock-former (stemdock-get-preference))
    ;; After a crash, the value may still be Stemdock's own; then the saved value is the user's.
    (if (string-search "@marker@" stemdock-former)
        (let ((noted (stemdock-read-line "preference.txt")))
          (setf stemdock-former (if noted (subseq noted 7) "lame - \"%f\"")))
        (stemdock-write "preference.txt"
          (list (list "memory" stemdock-former) (list "disk" disk))))))

;; In some locales, Audacity drops commands with characters outside ASCII. Then the value is restored
;; without them, and the courier corrects it over the pipe. Asking shows a window for a moment, so a value
;; in plain ASCII is not asked for again.
(defun stemdock-restore-preference ()
  (let* ((line (stemdock-read-line "restore.txt"))
         (noted (and line (string-search "SetPreference" line)))
         (answer (if noted (aud-do (subseq line 6)))))
    (if (not (and (cdr answer) (string= (subseq line 0 6) "plain ")))
        (if (string-search "@marker@" (stemdock-get-preference))
            (stemdock-set-preference stemdock-former)))))

(defun stemdock-launch ()
  (stemdock-write-request
    (list (list "model" (nth chosenmodel '(@models@)))
          (list "stems" (nth chosenstems '(@stem-values@)))
          (list "rest" chosenrest)
          (list "mute" chosenoriginal)))
  (stemdock-write "reply.txt" '(("failed" "")))
  (stemdock-write "restore.txt" '(("" "")))
  (stemdock-note-preference)
  (stemdock-set-preference "@command@")
  (setf stemdock-exported
    (cdr (aud-do (strcat "Export2: Filename=\"" stemdock-inbox "request.CL\" NumChannels=2"))))
  (stemdock-restore-preference))

(defun stemdock-finish ()
  (let ((reply (stemdock-read-line "reply.txt")))
    ;; The reply counts, whatever became of the export.
    (cond ((string= reply "detached ") nil)
          ((string-search "message " reply) (subseq reply 8))
          ((not stemdock-exported) nil)
          (t (strcat (_ "Stemdock could not be started. Run in a terminal:")
                     "\nplugin-cli audacity doctor")))))

(stemdock-capture)
;; A value other than nil continues with the next track; nil leaves no step in the undo history.
(cond ((stemdock-last-track) (stemdock-launch) (stemdock-finish))
      (t ""))
